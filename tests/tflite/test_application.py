"""The generated main.cc, compiled and run against a stand-in for TFLite Micro's classes.

The stand-in checks what an application must get right: every operator registered once and no
other, samples quantised, state fed back although outputs lie where inputs do, windows reset.
"""

import re
import subprocess

import numpy as np
import pytest

from rnnedge.convert.tflite import (
    Variant,
    as_input,
    c_array,
    emit,
    main_cc,
    operators,
    resolver_calls,
    variants,
)
from rnnedge.simulator import quantize
from tests.tflite.cases import CASES, case

PAIRS = [(name, variant) for name in ("gru", "two_lstm", "every_step", "both_ways")
         for variant in variants(case(name))]  # fmt: skip

STAND_IN = r"""
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
#define TFLITE_SCHEMA_VERSION 3
#define MicroPrintf std::printf
namespace tflite {
struct Model { int version() const { return TFLITE_SCHEMA_VERSION; } };
inline const Model* GetModel(const void*) { static Model model; return &model; }
inline int added = 0, room = 0, resets = 0;
template <unsigned N> struct MicroMutableOpResolver {
  MicroMutableOpResolver() { room = N; }
@ADDS@
};
struct MicroAllocator {
  static MicroAllocator* Create(uint8_t*, size_t) { static MicroAllocator one; return &one; }
};
inline int variables = 0;
struct MicroResourceVariables {
  static MicroResourceVariables* Create(MicroAllocator*, int count) {
    variables = count;
    return nullptr;
  }
};
// The next state k lies where the application writes the state k + 1.
struct MicroInterpreter {
  int16_t state[4][64] = {}, scores[256] = {};
  alignas(16) unsigned char x[4096] = {};
  template <class R> MicroInterpreter(const Model*, R&, uint8_t* arena, size_t) {
    if (reinterpret_cast<uintptr_t>(arena) % 16 != 0) std::abort();
  }
  template <class R>
  MicroInterpreter(const Model*, R&, MicroAllocator*, MicroResourceVariables*) {}
  TfLiteStatus AllocateTensors() { return added == room ? kTfLiteOk : kTfLiteError; }
  TfLiteStatus Reset() { ++resets; return kTfLiteOk; }
  TfLiteStatus Invoke() {
    int16_t next[4][64];
    for (int k = 0; k < STATES; ++k)
      for (int i = 0; i < 64; ++i) next[k][i] = static_cast<int16_t>(state[k][i] + k + 1);
    for (int k = 0; k < STATES; ++k)
      for (int i = 0; i < 64; ++i) state[(k + 1) % STATES][i] = next[k][i];
    for (int label = 0; label < 256; ++label) scores[label] = label % 4 == 2;
    return kTfLiteOk;
  }
  template <class T> T* typed_input_tensor(int index) {
    return index == 0 ? reinterpret_cast<T*>(x) : reinterpret_cast<T*>(state[index - 1]);
  }
  template <class T> T* typed_output_tensor(int index) {
    return reinterpret_cast<T*>(index == 0 ? scores : state[index % STATES]);
  }
};
}  // namespace tflite
"""

DRIVER = r"""
#define main generated_main
#include "main.cc"
#undef main
int main() {
  if (!Start() || !Reset()) return 1;
  const int before = tflite::resets;
  static float raw[kSteps][kChannels];
  for (int run = 0; run < 3; ++run) {
    for (int t = 0; t < kSteps; ++t)
      for (int c = 0; c < kChannels; ++c) {
        const float deviation = static_cast<float>((t + c) % 5 - 2) * 3.0f;
        raw[t][c] = kMean[c] + kStd[c] * deviation;
      }
    if (Classify(raw) != 2) return 2;
  }
  std::printf("resets %d\nx", tflite::resets - before);
  const Sample* x = interpreter->typed_input_tensor<Sample>(0);
  for (int i = 0; i < kSteps * kChannels; ++i) std::printf(" %d", x[i]);
  std::printf("\nvariables %d\nstate", tflite::variables);
  STATE
  std::printf("\n");
  return 0;
}
"""


def build(tmp_path, name, variant):
    model = case(name)
    tflite = emit(model, variant)
    header, source = c_array("net", tflite, 9000, model, variant, suffix="cc")
    text = main_cc("net", tflite, model, variant)
    adds = "\n".join(
        f"  TfLiteStatus {call}() {{ ++added; return kTfLiteOk; }}"
        for call in resolver_calls(tflite)
    )
    outside = "kSizes" in text
    count = 4 if name == "two_lstm" else 2 if name == "every_step" else 1
    stand_in = STAND_IN.replace("@ADDS@", adds).replace("STATES", str(count))
    for path in sorted(set(re.findall(r'#include "(tensorflow/\S+)"', text))):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text('#include "stand_in.h"\n')
    (tmp_path / "stand_in.h").write_text("#pragma once\n" + stand_in)
    (tmp_path / "net_tflite.h").write_text(header)
    (tmp_path / "net_tflite.cc").write_text(source)
    (tmp_path / "main.cc").write_text(text)
    shows = 'for (int16_t value : state) std::printf(" %d", value);' if outside else ""
    (tmp_path / "driver.cc").write_text(DRIVER.replace("STATE", shows))
    return model, text


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize(("name", "variant"), PAIRS, ids=lambda v: getattr(v, "name", v))
def test_it_registers_quantises_and_feeds_back(name, variant, compiler, tmp_path):
    model, _ = build(tmp_path, name, variant)
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-unused-function"]
    command = [compiler, "-std=c++17", *warnings, "-I.", "driver.cc", "net_tflite.cc", "-o", "run"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "run"], capture_output=True, text=True, check=True)
    found = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    window = variant.form == "window"
    assert found["resets"] == ["3" if window else "0"]
    steps = model.window if window else 1
    deviation = (np.add.outer(np.arange(steps), np.arange(3)) % 5 - 2) * 3.0
    raw = model.input.mean + model.input.std * deviation
    exact = deviation / model.input.limit * (2**7 if variant.precision == "8x8" else 2**15)
    x = np.array(found["x"], int).reshape(steps, 3)
    limits = (-128, 127) if variant.precision == "8x8" else (-32768, 32767)
    # float32 in another order than the device's integer map
    assert np.abs(x - np.clip(exact, *limits)).max() <= 0.51
    assert np.abs(x - as_input(quantize(model.input, raw), variant)).max() <= 1
    states = {"gru": 1, "two_lstm": 4, "every_step": 2}.get(name, 0)
    assert found["variables"] == [str(states if variant.state == "variables" else 0)]
    if variant.form == "stream" and variant.state == "io":
        expected = np.repeat([3 * (k + 1) for k in range(states)], 7)
        assert np.array_equal(np.array(found["state"], int), expected)


@pytest.mark.parametrize("macro", ["ARDUINO", "ESP_PLATFORM", "__ZEPHYR__"])
def test_each_environment_has_its_entry_point(macro, tmp_path):
    build(tmp_path, "gru", Variant())
    (tmp_path / "TensorFlowLite.h").write_text("")
    command = ["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-I.", f"-D{macro}", "-c"]
    subprocess.run([*command, "main.cc"], cwd=tmp_path, check=True)
    names = subprocess.run(["nm", "-g", "main.o"], cwd=tmp_path, capture_output=True, text=True)
    symbols = {line.split()[-1] for line in names.stdout.splitlines() if " T " in line}
    expected = {"ARDUINO": {"_Z5setupv", "_Z4loopv"}, "ESP_PLATFORM": {"app_main"}}
    assert symbols == expected.get(macro, {"main"})


@pytest.mark.parametrize("name", list(CASES))
def test_the_calls_are_those_of_the_files_operators(name):
    for variant in variants(case(name)):
        tflite = emit(case(name), variant)
        calls = resolver_calls(tflite)
        plain = [call.removeprefix("Add").upper() for call in calls]
        assert plain == [op.replace("_", "") for op in operators(tflite)]


def test_the_text_is_deterministic_and_narrow():
    for name, variant in PAIRS:
        tflite = emit(case(name), variant)
        text = main_cc("net", tflite, case(name), variant)
        assert text == main_cc("net", tflite, case(name), variant)
        assert max(map(len, text.splitlines())) <= 100
        assert "@" not in text
