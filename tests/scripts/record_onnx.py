"""Exports small networks from PyTorch to ONNX, for tests/MiniCnn.Onnx.Tests.

    python3 tests/scripts/record_onnx.py        # writes tests/recorded/onnx/; PyTorch 1.13 was used
"""
import pathlib
import torch
from torch import nn
import torch.nn.functional as F

out = pathlib.Path(__file__).resolve().parents[1] / "recorded" / "onnx"


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 5, padding=2), nn.Conv2d(4, 6, 5)
        self.fc1, self.fc2 = nn.Linear(6 * 3 * 2, 20), nn.Linear(20, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.avg_pool2d(torch.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return F.log_softmax(self.fc2(F.dropout(torch.relu(self.fc1(x)), training=self.training)), 1)


class Block(nn.Module):
    def __init__(self, i, o, stride=1):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(), nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))
        self.short = nn.Sequential() if i == o and stride == 1 else nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return F.relu(self.body(x) + self.short(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1), Block(4, 4), Block(4, 8, 2))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.net(x), 1), 1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect")
        self.up1, self.d, self.e, self.f = nn.ConvTranspose2d(8, 8, 2, 2), nn.Conv2d(16, 4, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1), nn.Conv2d(4, 3, 1)

    def forward(self, x):
        a = F.relu(self.a(x))
        b = F.relu(self.b(F.max_pool2d(a, 2)))
        c = F.relu(self.c(F.max_pool2d(b, 2)))
        d = F.relu(self.d(torch.cat([b, self.up1(c)], 1)))
        e = F.relu(self.e(torch.cat([a, F.interpolate(d, scale_factor=2, mode="bilinear", align_corners=False)], 1)))
        return self.f(e)


class Modern(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.GELU(), nn.InstanceNorm2d(8, affine=True),
            nn.Conv2d(8, 8, 3, padding=2, dilation=2), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2), nn.AvgPool2d(3, 2, 1), nn.Sigmoid())
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        return torch.softmax(self.fc(self.net(x).mean([2, 3])), -1)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 4, bias=False))

    def forward(self, x):
        return self.net(x)


nets = {"lenet": (LeNet, (1, 20, 18)), "resnet": (ResNet, (3, 40, 36)), "unet": (UNet, (1, 12, 20)), "modern": (Modern, (3, 20, 24)), "mlp": (Mlp, (12,))}
out.mkdir(parents=True, exist_ok=True)
for name, (make, shape) in nets.items():
    for opset in (9, 11, 13, 17):
        if name == "unet" and opset < 11:
            continue                                             # reflect padding and half-pixel resizing need opset 11
        torch.manual_seed(0)
        net = make()
        for module in net.modules():                             # running statistics other than the initial ones
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 1.5)
        torch.onnx.export(
            net.eval(), torch.randn(2, *shape), out / f"{name}-{opset}.onnx", opset_version=opset, input_names=["input"], output_names=["output"],
            dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}} if opset != 13 else None)
