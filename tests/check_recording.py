#!/usr/bin/env python3
"""Checks a recording of TorchSharp's results with whatever PyTorch is at hand (1.13 or newer): an independent second witness.

usage: check_recording.py [FILE]        the recording that came with the source, or another one of the same table

Whole numbers must agree bit for bit, real ones within 2·k·ε·Σ|x·w|, where k is the number of products in a sum plus 1.
Exit code 0 when all of it agrees, else 1.
"""
import json
import math
import os
import struct
import sys

import torch
import torch.nn.functional as F

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorded")
FILE = sys.argv[1] if len(sys.argv) > 1 else os.path.join(FOLDER, "torchsharp-0.106.0.safetensors")
TYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}
EPSILON = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}
checked, wrong, worst = {}, [], {}


def read(path):
    """The tensors and the metadata of a safetensors file."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data[begin:end], dtype=TYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def compare(kind, name, ours, bound=None):
    """Compares with the recorded tensor: within the bound, or without one bit for bit."""
    theirs, ours = recorded[name], ours.detach()
    if theirs.shape != ours.shape or theirs.dtype != ours.dtype:
        wrong.append(f"{name}: {ours.dtype} {list(ours.shape)} here, {theirs.dtype} {list(theirs.shape)} recorded")
    elif bound is None:
        if theirs.numpy().tobytes() != ours.contiguous().numpy().tobytes():
            wrong.append(f"{name}: not the same bits")
    else:
        error = (theirs.double() - ours.double()).abs()
        share = torch.where(error == 0, error, error / bound).max().item()    # 0 of 0 is no error; NaN is one
        if not share <= 1:
            wrong.append(f"{name}: off by {share:.3g} of the bound")
        worst[kind] = max(worst.get(kind, 0), share)
    checked[kind] = checked.get(kind, 0) + theirs.numel()


def sums(function, inputs, dy):
    """y = function(inputs) and the gradients of <y, dy>."""
    inputs = [i.clone().requires_grad_() for i in inputs]
    y = function(*inputs)
    return [y.detach(), *torch.autograd.grad(y, inputs, dy)]


def check_sums(kind, case, names, function, exact=False):
    """A function that is linear in each of its inputs, and its gradients: sums of products all, so each has its bound."""
    inputs, dy = [recorded[f"{case}.{n}"] for n in names], recorded[f"{case}.dy"]
    magnitudes = sums(function, [i.double().abs() for i in inputs], dy.double().abs())
    ones = [torch.ones_like(i, dtype=torch.float64) if n != "bias" else torch.zeros_like(i, dtype=torch.float64) for n, i in zip(names, inputs)]
    products = sums(function, ones, torch.ones_like(dy, dtype=torch.float64))
    results = sums(function, inputs, dy)
    for name, ours, magnitude, count in zip(["y", *(f"d{n}" for n in names)], results, magnitudes, products):
        compare(kind, f"{case}.{name}", ours, None if exact else 2 * (count + 1) * EPSILON[ours.dtype] * magnitude)


def convolution(case):
    top, left, bottom, right = case["padding_tlbr"]
    mode = {"zeros": "constant"}.get(case["padding_mode"], case["padding_mode"])
    names = ["x", "weight", "bias"] if case["bias"] else ["x", "weight"]

    def conv2d(x, weight, bias=None):
        if mode == "constant" and top == bottom and left == right:
            return F.conv2d(x, weight, bias, case["stride"], [top, left], case["dilation"], case["groups"])
        padded = F.pad(x, [left, right, top, bottom], mode)
        return F.conv2d(padded, weight, bias, case["stride"], 0, case["dilation"], case["groups"])

    check_sums("conv2d", case["id"], names, conv2d, exact=case["data"] == "integer")


def max_pool(case):
    x, dy = recorded[case["id"] + ".x"], recorded[case["id"] + ".dy"]
    pool = lambda x: F.max_pool2d(x, case["kernel"], case["stride"], case["padding"], case["dilation"])
    y, dx = sums(pool, [x], dy)
    compare("max_pool2d", case["id"] + ".y", y)
    _, magnitude = sums(pool, [x.double()], dy.double().abs())
    compare("max_pool2d", case["id"] + ".dx", dx, 2 * (math.prod(case["kernel"]) + 1) * EPSILON[dx.dtype] * magnitude)


def avg_pool(case):
    """Linear in x, but divided: the sum's bound holds with as many terms as the kernel has taps."""
    x, dy = recorded[case["id"] + ".x"], recorded[case["id"] + ".dy"]
    pool = lambda x: F.avg_pool2d(x, case["kernel"], case["stride"], case["padding"], False, case["count_include_pad"])
    magnitudes = sums(pool, [x.double().abs()], dy.double().abs())
    for name, ours, magnitude in zip(["y", "dx"], sums(pool, [x], dy), magnitudes):
        compare("avg_pool2d", f"{case['id']}.{name}", ours, 2 * (math.prod(case["kernel"]) + 1) * EPSILON[ours.dtype] * magnitude)


def cross_entropy(case):
    """The bounds follow each exp (off by its argument's error and two units), the sum, the logarithm and the mean."""
    logits, target = recorded[case["id"] + ".logits"], recorded[case["id"] + ".target"]
    n, classes = logits.shape
    leaf = logits.clone().requires_grad_()
    loss = F.cross_entropy(leaf, target)
    (dlogits,) = torch.autograd.grad(loss, leaf)
    spread = (logits.max() - logits.min()).item()
    epsilon = EPSILON[logits.dtype]
    compare("cross_entropy", case["id"] + ".loss", loss, 2 * (classes + n + 4) * epsilon * (1 + spread + loss.item()))
    parts = F.softmax(logits.double(), 1) + F.one_hot(target, classes)
    compare("cross_entropy", case["id"] + ".dlogits", dlogits, 2 * (classes + 7 + 2 * spread) * epsilon * parts / n)


def training(case):
    """Ten steps of SGD from a seed. Rounding errors of n additions grow as the root of n; the longest sum has 20·12·12."""
    torch.manual_seed(case["seed_of_initial_weights"])
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(4, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(128, 10))
    for name, value in model.named_parameters():
        compare("training", f"training.initial.{name}", value)
    step_bound = math.sqrt(20 * 12 * 12) * EPSILON[torch.float32]
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
    for step in range(10):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(recorded[f"training.{step:02}.x"]), recorded[f"training.{step:02}.target"])
        loss.backward()
        optimizer.step()
        compare("training", f"training.{step:02}.loss", loss, (step + 1) * step_bound * loss.item())
    for name, value in model.named_parameters():
        compare("training", f"training.final.{name}", value, 10 * step_bound * value.detach().abs().max().double())


recorded, metadata = read(FILE)
cases = json.loads(metadata["cases"])
with open(os.path.join(FOLDER, "cases.json"), encoding="utf-8") as table:
    if cases != json.load(table):
        sys.exit(f"{FILE}: its cases are not those of {table.name}")
kinds = {}
for case in cases:
    kind = case["id"].split(".")[0]
    kinds[kind] = kinds.get(kind, 0) + 1
    if kind == "linear":
        check_sums(kind, case["id"], ["x", "weight", "bias"], F.linear)
    else:
        {"conv2d": convolution, "max_pool2d": max_pool, "avg_pool2d": avg_pool, "cross_entropy": cross_entropy, "training": training}[kind](case)
torch.manual_seed(42)
kinds["randperm"] = 1
compare("randperm", "generator.randperm_100_seed_42", torch.randperm(100))

print(f"recorded with {metadata['recorded_with']}; checked with PyTorch {torch.__version__}")
for kind, count in kinds.items():
    print(f"{kind:14}{count:5} cases{checked[kind]:9} numbers" + (f", worst at {worst[kind]:.2f} of the bound" if kind in worst else ", the same bits"))
for line in wrong[:20]:
    print(line)
print("all agree" if not wrong else f"{len(wrong)} tensors do not agree")
sys.exit(1 if wrong else 0)
