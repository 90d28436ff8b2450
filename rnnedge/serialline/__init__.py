"""A board behind a serial line: frames, requests, and the model that it runs."""

from rnnedge.serialline.answers import DeviceInfo, WindowResult
from rnnedge.serialline.device import Device, open_device
from rnnedge.serialline.link import Statistics

__all__ = ["Device", "DeviceInfo", "Statistics", "WindowResult", "open_device"]
