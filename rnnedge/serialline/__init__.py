"""A board behind a serial line: frames, requests, and the model that it runs."""

from rnnedge.serialline.device import Device, DeviceInfo, WindowResult, open_device
from rnnedge.serialline.link import Statistics

__all__ = ["Device", "DeviceInfo", "Statistics", "WindowResult", "open_device"]
