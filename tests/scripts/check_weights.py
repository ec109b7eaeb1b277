"""Checks model files against PyTorch in both directions. Needs PyTorch and the Python standard library only.

    python3 tests/scripts/check_weights.py FOLDER          # ImageClassifierTorchTests runs this if python3 has torch
    python3 tests/scripts/check_weights.py --record        # writes tests/recorded/model/, once

FOLDER holds files that MiniCnn wrote: model.safetensors, and run.safetensors with a batch x and the outputs y of the network. The script builds
the torch module from the architecture in the file, loads the weights with strict=True, and compares its outputs with y. It then trains for three
steps and writes torch-model.safetensors (the state dict with the same metadata) and torch-run.safetensors, which MiniCnn loads.
"""
import json
import pathlib
import struct
import sys

import torch
from torch import nn

TYPES = {"F32": torch.float32, "I64": torch.int64}
TOLERANCE = 1e-5                            # relative to the largest output: float sums in two different orders


class Residual(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        if shortcut is not None:
            self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + (self.shortcut(x) if hasattr(self, "shortcut") else x)


class Concat(nn.Sequential):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)


def even(layer):
    top, left, bottom, right = layer["padding"]
    assert (top, left) == (bottom, right), "give this script nets with even padding"
    return top, left


def build(layer):
    """Builds the torch module of a layer from its description in a file."""
    kind, a = layer["type"], layer
    inside = [build(child) for child in a.get("layers", [])]
    if kind in ("Sequential", "Concat", "Residual"):
        return {"Sequential": nn.Sequential, "Concat": Concat, "Residual": Residual}[kind](*inside)
    if kind == "Conv2d":
        return nn.Conv2d(
            a["inputChannels"], a["outputChannels"], a["kernelSize"], a["stride"], even(a), a["dilation"], a["groups"], a["bias"],
            a["paddingMode"].lower())
    if kind == "ConvTranspose2d":
        return nn.ConvTranspose2d(
            a["inputChannels"], a["outputChannels"], a["kernelSize"], a["stride"], even(a), a["outputPadding"], a["groups"], a["bias"], a["dilation"])
    if kind == "MaxPool2d":
        return nn.MaxPool2d(a["kernelSize"], a["stride"], even(a), a["dilation"])
    if kind == "AvgPool2d":
        return nn.AvgPool2d(a["kernelSize"], a["stride"], even(a), count_include_pad=a["countIncludePad"])
    if kind == "Upsample":
        return nn.Upsample(scale_factor=tuple(a["scaleFactor"]), mode=a["mode"].lower())
    return {
        "Linear": lambda: nn.Linear(a["inputFeatures"], a["outputFeatures"], a["bias"]),
        "BatchNorm2d": lambda: nn.BatchNorm2d(a["channels"], a["epsilon"], a["momentum"]),
        "GroupNorm": lambda: nn.GroupNorm(a["groups"], a["channels"], a["epsilon"]),
        "LayerNorm": lambda: nn.LayerNorm(a["shape"], a["epsilon"]),
        "AdaptiveAvgPool2d": lambda: nn.AdaptiveAvgPool2d(a["outputSize"]),
        "Dropout": lambda: nn.Dropout(a["probability"]),
        "LeakyReLU": lambda: nn.LeakyReLU(a["negativeSlope"]),
        "Softmax": lambda: nn.Softmax(dim=1),
        "LogSoftmax": lambda: nn.LogSoftmax(dim=1),
    }.get(kind, getattr(nn, kind, None))()


def read(path):
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    about = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = bytearray(data[8 + length + begin:8 + length + end])
        tensors[name] = torch.frombuffer(raw, dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, about


def write(path, tensors, about):
    header, data = {"__metadata__": about}, b""
    for name in sorted(tensors, key=lambda name: (tensors[name].dtype != torch.int64, name)):
        values = tensors[name].detach().contiguous()
        raw = values.numpy().tobytes()
        kind = next(key for key, value in TYPES.items() if value == values.dtype)
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def train_and_write(folder, net, x, about):
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    net.train()
    for step in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), torch.arange(len(x)) % 2).backward()
        optimizer.step()
    net.eval()
    write(folder / "torch-model.safetensors", net.state_dict(), about)
    write(folder / "torch-run.safetensors", {"x": x, "y": net(x)}, {"recorded_with": f"PyTorch {torch.__version__}, CPU"})


def check(folder):
    weights, about = read(folder / "model.safetensors")
    run, _ = read(folder / "run.safetensors")
    assert about["format"] == "pt"
    net = build(json.loads(about["architecture"]))
    net.load_state_dict(weights, strict=True)
    y = net.eval()(run["x"])
    worst = (y - run["y"]).abs().max().item() / run["y"].abs().max().item()
    assert y.shape == run["y"].shape and worst <= TOLERANCE, f"outputs differ by {worst:.1e} of the largest"
    train_and_write(folder, net, run["x"], about)
    print(f"PyTorch {torch.__version__}")


def record():
    """Writes a model file with PyTorch and hand-written metadata: a network with a batch norm, a residual branch and a head."""
    def conv(into, out, size, bias):
        return {
            "type": "Conv2d", "inputChannels": into, "outputChannels": out, "kernelSize": [size, size], "stride": [1, 1], "padding": [size // 2] * 4,
            "dilation": [1, 1], "groups": 1, "bias": bias, "paddingMode": "Zeros"}

    norm = {"type": "BatchNorm2d", "channels": 4, "epsilon": 1e-5, "momentum": 0.1}
    net = {"type": "Sequential", "layers": [
        conv(3, 4, 3, False), norm, {"type": "ReLU"},
        {"type": "Residual", "layers": [{"type": "Sequential", "layers": [conv(4, 4, 3, False), norm]}, conv(4, 4, 1, True)]},
        {"type": "AdaptiveAvgPool2d", "outputSize": [2, 2]}, {"type": "Flatten"}, {"type": "Linear", "inputFeatures": 16, "outputFeatures": 2, "bias": True}]}
    about = {
        "format": "pt", "architecture": json.dumps(net), "class_names": json.dumps(["cat", "dog"]), "minicnn_version": "0.1.0",
        "input": json.dumps({"channels": 3, "height": 6, "width": 8, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]})}
    torch.manual_seed(6)
    folder = pathlib.Path(__file__).resolve().parents[1] / "recorded" / "model"
    folder.mkdir(exist_ok=True)
    train_and_write(folder, build(net), torch.rand(5, 3, 6, 8) * 2 - 1, about)


if sys.argv[1:] == ["--record"]:
    record()
else:
    check(pathlib.Path(sys.argv[1]))
