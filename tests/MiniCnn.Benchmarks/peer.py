"""PyTorch's side of the comparison. Reads a request a line from stdin, a JSON object, and answers each with one on stdout.

    {"item": {"conv": [N, C, H, W, OC, k, stride, padding, dilation, groups], "work": ..., "layout": ...}, "seconds": S, "calls": C}
    {"item": {"net": NAME, "batch": N, "work": ..., "layout": ...}, "seconds": S, "calls": C}
        the median time of a call in µs, after one that is not counted: C calls at least, S seconds at least
    {"rest": true}
        an answer when this process takes no processor time any more

`peer.py start THREADS` is one training step of LeNet-5 from nothing, and the peak memory that it took.
"""
import json
import re
import signal
import statistics
import sys
import time

signal.signal(signal.SIGINT, signal.SIG_DFL)     # the program that asks has the same Ctrl-C
try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as e:
    print(json.dumps({"missing": str(e)}), flush=True)
    sys.exit()


def convolution(conv, work, layout):
    n, c, h, w, oc, k, stride, padding, dilation, groups = conv
    memory = torch.channels_last if layout == "Nhwc" else torch.contiguous_format
    x = torch.randn(n, c, h, w).contiguous(memory_format=memory)
    weight, bias = torch.randn(oc, c // groups, k, k).contiguous(memory_format=memory), torch.randn(oc)

    def forward():
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)

    dy = torch.randn_like(forward())

    def backward(dx, dw, db):
        return lambda: torch.ops.aten.convolution_backward(
            dy, x, weight, [oc], [stride] * 2, [padding] * 2, [dilation] * 2, False, [0, 0], groups, [dx, dw, db])

    return {
        "forward": (None, forward),
        "backward-data": (None, backward(True, False, False)),
        "backward-weights": (None, backward(False, True, False)),
        "NCHW forward": (None, forward),
        "NCHW backward": (forward, backward(True, True, True)),
    }[work]


def lenet5():
    return (1, 28, 10), nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def mnist_net():
    return (1, 28, 10), nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


def cats_and_dogs():
    return (3, 64, 2), nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8192, 128), nn.ReLU(), nn.Linear(128, 2))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet8():
    return (3, 32, 10), nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


NETS = {"LeNet-5": lenet5, "MNIST net": mnist_net, "cats and dogs net": cats_and_dogs, "ResNet-8": resnet8}


def network(net, batch, work, layout):
    memory = torch.channels_last if layout == "Nhwc" else torch.contiguous_format
    (channels, size, classes), model = NETS[net]()
    model = model.to(memory_format=memory)
    x = torch.randn(batch, channels, size, size).contiguous(memory_format=memory)
    labels = torch.randint(0, classes, (batch,))
    optimizer = torch.optim.SGD(model.parameters(), 0.001)

    @torch.enable_grad()
    def step():
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    @torch.inference_mode()
    def forward():
        model(x)

    model.train(work == "training step")
    return None, step if work == "training step" else forward


def measure(before, run, seconds, calls):
    times, start = [], time.perf_counter()
    while len(times) <= calls or time.perf_counter() - start < seconds:
        if before:
            before()
        t = time.perf_counter()
        run()
        times.append(time.perf_counter() - t)
    return statistics.median(times[1:]) * 1e6


def rest():
    """Returns when this process takes no processor time any more: OpenMP's threads spin for a while before they sleep."""
    while True:
        before = time.process_time()
        time.sleep(0.01)
        if time.process_time() - before < 0.001:
            return


def blas():
    try:
        maps = open("/proc/self/maps").read()
    except OSError:
        return "unknown"
    libraries = sorted(set(re.findall(r"/((?:\w|-)*(?:blas|mkl|blis)[^/\s]*)$", maps, re.MULTILINE)))
    return ", ".join(libraries) or "compiled in"


def serve(threads):
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)                # training steps turn it on
    config = torch.__config__.show()
    onednn = re.search(r"(?:MKL-DNN|oneDNN) v([\d.]+)", config)
    F.conv2d(torch.randn(1, 8, 9, 9), torch.randn(8, 8, 3, 3))
    torch.mm(torch.randn(64, 64), torch.randn(64, 64))
    print(json.dumps({
        "version": torch.__version__, "oneDNN": onednn[1] if onednn else "none", "blas": blas(), "threads": torch.get_num_threads(),
    }), flush=True)
    prepared = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "rest" in request:
            rest()
            print("{}", flush=True)
            continue
        item = request["item"]
        key, name = json.dumps(item), json.dumps(item.get("conv") or item.get("net"))
        if key not in prepared:
            if any(of != name for of, _ in prepared.values()):
                prepared.clear()                   # one shape or net at a time
            prepared[key] = name, convolution(**item) if "conv" in item else network(**item)
        print(json.dumps({"us": measure(*prepared[key][1], request["seconds"], request["calls"])}), flush=True)


def start():
    torch.set_num_threads(int(sys.argv[2]))
    network("LeNet-5", 64, "training step", "NCHW")[1]()
    status = open("/proc/self/status").read()
    print(json.dumps({"mb": int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024}), flush=True)


if sys.argv[1] == "start":
    start()
else:
    serve(int(sys.argv[1]))
