"""Records what PyTorch's layers compute into tests/recorded/layers.safetensors; run it again only to add cases.

    python3 tests/record_layers.py

Every input is in the file too, so anyone can check it with any PyTorch. Names: batch_norm.0.x, .dy, .weight, .y, .dx, .dweight, .running_mean, .eval, …
"""
import pathlib

import torch

from safetensors_writer import write

tensors = {}


def reals(*shape):
    return torch.rand(shape) * 2 - 1


def batch_norm(case, n, channels, height, width, eps, momentum, steps):
    """Training steps of a batch norm by itself: its outputs, gradients and running statistics, then an output that is not training."""
    norm = torch.nn.BatchNorm2d(channels, eps=eps, momentum=momentum)
    with torch.no_grad():
        norm.weight.copy_(reals(channels) + 1.5)
        norm.bias.copy_(reals(channels))
    for step in range(steps):
        name = f"batch_norm.{case}.{step}"
        x = (reals(n, channels, height, width) + 3 * reals(1, channels, 1, 1)).requires_grad_()
        dy = reals(n, channels, height, width)
        norm.zero_grad()
        y = norm(x)
        y.backward(dy)
        tensors.update({
            f"{name}.x": x, f"{name}.dy": dy, f"{name}.weight": norm.weight, f"{name}.bias": norm.bias, f"{name}.y": y, f"{name}.dx": x.grad,
            f"{name}.dweight": norm.weight.grad.clone(), f"{name}.dbias": norm.bias.grad.clone(),
            f"{name}.running_mean": norm.running_mean.clone(), f"{name}.running_var": norm.running_var.clone(),
            f"{name}.num_batches_tracked": norm.num_batches_tracked.clone(),
        })
    norm.eval()
    tensors[f"batch_norm.{case}.eval"] = norm(x)


def one(name, layer, *shape, scale=1.0):
    """A layer without parameters: x, dy, y, dx."""
    x = (scale * reals(*shape)).requires_grad_()
    y = layer(x)
    dy = reals(*y.shape)
    y.backward(dy)
    tensors.update({f"{name}.x": x, f"{name}.dy": dy, f"{name}.y": y, f"{name}.dx": x.grad})


def conv_transpose2d(case, n, height, width, *sizes, **options):
    """A transposed convolution: weights, x, dy, y and all gradients."""
    layer = torch.nn.ConvTranspose2d(*sizes, **options)
    name = f"conv_transpose2d.{case}"
    for key, value in layer.named_parameters():
        value.data = reals(*value.shape)
        tensors[f"{name}.{key}"] = value
    one(name, layer, n, sizes[0], height, width)
    for key, value in layer.named_parameters():
        tensors[f"{name}.d{key}"] = value.grad


def image_norm(name, norm, *shape, shift=0.0):
    """A normalisation of each image by itself: weights, x, dy, y and all gradients."""
    x = (reals(*shape) * (1 + torch.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1))) + shift).requires_grad_()
    with torch.no_grad():
        norm.weight.copy_(reals(*norm.weight.shape) + 0.5)
        norm.bias.copy_(reals(*norm.bias.shape))
    dy = reals(*shape)
    y = norm(x)
    y.backward(dy)
    tensors.update({
        f"{name}.x": x, f"{name}.dy": dy, f"{name}.weight": norm.weight, f"{name}.bias": norm.bias, f"{name}.y": y, f"{name}.dx": x.grad,
        f"{name}.dweight": norm.weight.grad, f"{name}.dbias": norm.bias.grad,
    })


torch.manual_seed(7)
batch_norm(0, n=3, channels=2, height=5, width=4, eps=1e-5, momentum=0.1, steps=3)
batch_norm(1, n=17, channels=3, height=3, width=2, eps=1e-3, momentum=0.3, steps=2)
batch_norm(2, n=16, channels=1, height=1, width=7, eps=1e-5, momentum=0.1, steps=2)
batch_norm(3, n=1, channels=5, height=6, width=9, eps=1e-5, momentum=1.0, steps=2)
batch_norm(4, n=33, channels=4, height=2, width=3, eps=1e-5, momentum=0.0, steps=2)
for i, scale in enumerate((0.01, 1, 6)):
    one(f"sigmoid.{i}", torch.nn.Sigmoid(), 3, 2, 5, 4, scale=scale)
    one(f"tanh.{i}", torch.nn.Tanh(), 3, 2, 5, 4, scale=scale)
    one(f"silu.{i}", torch.nn.SiLU(), 3, 2, 5, 4, scale=scale)
    one(f"gelu.{i}", torch.nn.GELU(), 3, 2, 5, 4, scale=scale)
    one(f"leaky_relu.{i}", torch.nn.LeakyReLU(0.3), 3, 2, 5, 4, scale=scale)
for i, shape in enumerate(((3, 5, 4, 2), (17, 10))):
    one(f"softmax.{i}", torch.nn.Softmax(dim=1), *shape, scale=4)
    one(f"log_softmax.{i}", torch.nn.LogSoftmax(dim=1), *shape, scale=4)
for i, (size, shape) in enumerate((((1, 1), (2, 3, 5, 4)), ((3, 2), (17, 2, 7, 5)), ((4, 6), (2, 2, 3, 5)), ((5, 3), (1, 1, 5, 9)))):
    one(f"adaptive_avg_pool2d.{i}", torch.nn.AdaptiveAvgPool2d(size), *shape)
conv_transpose2d(0, 3, 4, 5, 3, 2, (2, 3), stride=(2, 3))
conv_transpose2d(1, 2, 5, 3, 4, 6, (3, 2), stride=(2, 1), padding=(1, 0), output_padding=(1, 0), groups=2)
conv_transpose2d(2, 17, 3, 4, 2, 2, 3, padding=1, bias=False)
conv_transpose2d(3, 2, 4, 3, 3, 3, (2, 3), stride=(1, 2), padding=(2, 1), output_padding=(2, 1), dilation=(3, 2), groups=3)
conv_transpose2d(4, 1, 5, 7, 5, 4, 4, stride=2, padding=1)
conv_transpose2d(5, 2, 3, 4, 2, 3, 2, output_padding=(1, 2), dilation=(2, 3))
torch.manual_seed(11)
first = torch.nn.ConvTranspose2d(4, 6, (3, 2), groups=2)
tensors.update({"conv_transpose2d.first.weight": first.weight, "conv_transpose2d.first.bias": first.bias})
image_norm("group_norm.0", torch.nn.GroupNorm(2, 6), 3, 6, 5, 4)
image_norm("group_norm.1", torch.nn.GroupNorm(1, 3, eps=0.1), 17, 3, 2, 3, shift=10)
image_norm("group_norm.2", torch.nn.GroupNorm(5, 5), 1, 5, 7, 3)
image_norm("group_norm.3", torch.nn.GroupNorm(3, 12, eps=1e-3), 33, 12)
image_norm("layer_norm.0", torch.nn.LayerNorm((3, 5, 4)), 3, 3, 5, 4)
image_norm("layer_norm.1", torch.nn.LayerNorm((2, 3, 7), eps=0.1), 17, 2, 3, 7, shift=10)
image_norm("layer_norm.2", torch.nn.LayerNorm((4, 1, 6)), 1, 4, 1, 6)
image_norm("layer_norm.3", torch.nn.LayerNorm(37, eps=1e-3), 33, 37)
write(pathlib.Path(__file__).parent / "recorded" / "layers.safetensors", tensors)
