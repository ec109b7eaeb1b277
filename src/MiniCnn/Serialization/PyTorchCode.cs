using System.Globalization;
using System.Text;

namespace MiniCnn;

/// <summary>Exports a network as a Python module for PyTorch. Its tensors have the same names as in <see cref="Weights.Save"/>.</summary>
public static class PyTorchCode
{
    /// <summary>
    /// Writes <c>model.py</c>, and <c>model.safetensors</c> in the same folder. In Python, <c>import model; net = model.load()</c> returns the network in
    /// evaluation mode with its weights. The module needs only torch. A comment at its end explains how to continue training on several GPUs.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="path">Path of the module, “model.py”. Both files are written atomically.</param>
    /// <exception cref="NotSupportedException">
    /// A layer cannot be exported: a <see cref="CustomLayer"/>, a ConvTranspose2d with uneven padding, or an AvgPool2d with uneven padding that is not counted
    /// or with ceilMode. The message names it.
    /// </exception>
    /// <exception cref="ArgumentException">The path does not end in .py.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(Layer network, string path)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Path.GetExtension(path) != ".py")
            throw new ArgumentException($"{path}: the name of a Python module must end in .py", nameof(path));
        string code = Text(network, Path.GetFileNameWithoutExtension(path));
        Weights.Save(network, Path.ChangeExtension(path, ".safetensors"));
        AtomicFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(code)));
    }

    /// <summary>Returns the text of the module.</summary>
    internal static string Text(Layer network, string name) => $$"""
        # A network that MiniCnn made, for PyTorch 1.10 or newer; its weights are in {{name}}.safetensors.
        import json
        import pathlib

        import torch
        import torch.nn.functional as F
        from torch import nn


        class Residual(nn.Module):
            def __init__(self, body, shortcut=None):
                super().__init__()
                self.body = body
                self.shortcut = shortcut

            def forward(self, x):
                return self.body(x) + (x if self.shortcut is None else self.shortcut(x))


        class Concat(nn.ModuleList):
            def forward(self, x):
                return torch.cat([branch(x) for branch in self], 1)


        class Pad(nn.Module):
            def __init__(self, pad, mode="constant", value=0.0):
                super().__init__()
                self.pad, self.mode, self.value = pad, mode, value

            def forward(self, x):
                return F.pad(x, self.pad, self.mode, self.value) if self.mode == "constant" else F.pad(x, self.pad, self.mode)


        class PaddedConv2d(nn.Conv2d):
            pad = None

            def forward(self, x):
                return super().forward(self.pad(x))

            def padded(self, pad):
                object.__setattr__(self, "pad", pad)    # no module of its own: it has no name in the file
                return self


        def network():
            return {{Expression(network, 1)}}


        def read(path):
            # safetensors: 8 bytes of length, a JSON header, the numbers.
            data = bytearray(pathlib.Path(path).read_bytes())
            start = 8 + int.from_bytes(data[:8], "little")
            types = {"F32": (torch.float32, 4), "I64": (torch.int64, 8)}

            def tensor(entry):
                kind, size = types[entry["dtype"]]
                begin, end = entry["data_offsets"]
                return torch.frombuffer(data, dtype=kind, count=(end - begin) // size, offset=start + begin).clone().reshape(entry["shape"])

            return {name: tensor(entry) for name, entry in json.loads(data[8:start]).items() if name != "__metadata__"}


        def load(path=pathlib.Path(__file__).with_suffix(".safetensors")):
            net = network()
            net.load_state_dict(read(path), strict=True)
            return net.eval()


        # To go on training on several GPUs, write a train.py that wraps load() in torch.nn.parallel.DistributedDataParallel, and run
        #     torchrun --nproc_per_node=8 train.py
        # https://pytorch.org/docs/stable/elastic/run.html
        if __name__ == "__main__":
            print(load())

        """.ReplaceLineEndings("\n");

    static string Expression(Layer layer, int depth)
    {
        string indent = new(' ', 4 * depth), inner = new(' ', 4 * (depth + 1));
        return layer switch
        {
            Sequential sequential => $"nn.Sequential(\n{string.Concat(sequential.Layers.Select(child => $"{inner}{Expression(child, depth + 1)},\n"))}{indent})",
            Concat concat => $"Concat([\n{string.Concat(concat.Branches.Select(child => $"{inner}{Expression(child, depth + 1)},\n"))}{indent}])",
            Residual residual => $"Residual(\n{inner}{Expression(residual.Body, depth + 1)},\n"
                + (residual.Shortcut is null ? "" : $"{inner}{Expression(residual.Shortcut, depth + 1)},\n") + $"{indent})",
            Conv2d c => Convolution(c),
            ConvTranspose2d c => Even(c.Padding) is string padding
                ? $"nn.ConvTranspose2d({c.InputChannels}, {c.OutputChannels}, {Of(c.KernelSize)}, {Of(c.Stride)}, {padding}, {Of(c.OutputPadding)}, {c.Groups}, {Of(c.Bias is not null)}, {Of(c.Dilation)})"
                : throw Uneven(c),
            Linear l => $"nn.Linear({l.InputFeatures}, {l.OutputFeatures}, {Of(l.Bias is not null)})",
            BatchNorm n => $"nn.{n.GetType().Name}({n.Channels}, {Of(n.Epsilon)}, {Of(n.Momentum)})",
            GroupNorm n => $"nn.GroupNorm({n.Groups}, {n.Channels}, {Of(n.Epsilon)})",
            LayerNorm n => $"nn.LayerNorm({Of(n.Shape)}, {Of(n.Epsilon)})",
            MaxPool2d p => Padded(p.Padding, ", value=float(\"-inf\")", padding => $"nn.MaxPool2d({Of(p.KernelSize)}, {Of(p.Stride)}, {padding}, {Of(p.Dilation)}, ceil_mode={Of(p.CeilMode)})"),
            AvgPool2d p when Even(p.Padding) is null && (!p.CountIncludePad || p.CeilMode) => throw Uneven(p),
            AvgPool2d p => Padded(p.Padding, "", padding => $"nn.AvgPool2d({Of(p.KernelSize)}, {Of(p.Stride)}, {padding}, {Of(p.CeilMode)}, {Of(p.CountIncludePad)})"),
            AdaptivePool2d p => $"nn.{p.GetType().Name}({Of(p.OutputSize)})",
            Pad2d p => Pad(p.Padding, p.PaddingMode),
            Upsample u => $"nn.Upsample(scale_factor={Of(u.ScaleFactor)}, mode=\"{(u.Mode == UpsampleMode.Nearest ? "nearest" : "bilinear")}\")",
            Dropout d => $"nn.Dropout({Of(d.Probability)})",
            LeakyReLU l => $"nn.LeakyReLU({Of(l.NegativeSlope)})",
            Unflatten u => $"nn.Unflatten(1, {Of(u.Shape)})",
            Softmax or LogSoftmax => $"nn.{layer.GetType().Name}(dim=1)",
            Flatten or Identity or ReLU or GELU or SiLU or Sigmoid or Tanh => $"nn.{layer.GetType().Name}()",
            _ => throw new NotSupportedException($"{layer.Description}: a custom layer cannot be exported; write it in Python by hand"),
        };
    }

    static string Convolution(Conv2d c)
    {
        string? even = Even(c.Padding);
        string arguments = $"{c.InputChannels}, {c.OutputChannels}, {Of(c.KernelSize)}, {Of(c.Stride)}, {even ?? "0"}, {Of(c.Dilation)}, {c.Groups}, {Of(c.Bias is not null)}";
        return even is null ? $"PaddedConv2d({arguments}).padded({Pad(c.Padding, c.PaddingMode)})"
            : $"nn.Conv2d({arguments}{(c.PaddingMode == PaddingMode.Zeros ? "" : $", padding_mode=\"{Of(c.PaddingMode)}\"")})";
    }

    /// <summary>A pool, after a Pad module if its padding is uneven. Pools have no tensors, so the nesting does not change names.</summary>
    static string Padded(Padding padding, string value, Func<string, string> pool) => Even(padding) is string even
        ? pool(even) : $"nn.Sequential(Pad({Sides(padding)}{value}), {pool("0")})";

    static string Pad(Padding padding, PaddingMode mode) => $"Pad({Sides(padding)}, \"{(mode == PaddingMode.Zeros ? "constant" : Of(mode))}\")";

    /// <summary>PyTorch's padding=(h, w); null if the padding of an axis is uneven.</summary>
    static string? Even(Padding p) => p.Top == p.Bottom && p.Left == p.Right ? $"({p.Top}, {p.Left})" : null;

    static string Sides(Padding p) => $"({p.Left}, {p.Right}, {p.Top}, {p.Bottom})";

    static NotSupportedException Uneven(Layer layer) => new($"{layer.Description}: PyTorch has no such layer with uneven padding");

    static string Of(PaddingMode mode) => mode.ToString().ToLowerInvariant();

    static string Of(Size2d size) => $"({size.Height}, {size.Width})";

    static string Of(ImageShape shape) => shape.IsFlat ? $"({shape.Channels},)" : $"({shape.Channels}, {shape.Height}, {shape.Width})";

    static string Of(bool value) => value ? "True" : "False";

    static string Of(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
