using System.Globalization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Parity;

/// <summary>Writes down what the TorchSharp that this was compiled with computes for the table of cases, inputs included.</summary>
public sealed class TorchSharpRecorder
{
    readonly Dictionary<string, SafeTensors.Entry> tensors = [];

    TorchSharpRecorder(CaseTable table)
    {
        foreach (Conv2dCase c in table.Conv2d)
            Record(c);
        foreach (PoolCase c in table.MaxPool2d)
            Record(c, x => F.max_pool2d(x, Pair(c.Window.KernelSize), Pair(c.Window.Stride), Padding(c), Pair(c.Window.Dilation)));
        foreach (PoolCase c in table.AvgPool2d)
            Record(c, x => F.avg_pool2d(x, Pair(c.Window.KernelSize), Pair(c.Window.Stride), Padding(c), false, c.CountIncludePad));
        foreach (LinearCase c in table.Linear)
            Record(c);
        foreach (CrossEntropyCase c in table.CrossEntropy)
            Record(c);
        RecordTraining();
        manual_seed(42);
        Put("generator.randperm_100_seed_42", randperm(100, dtype: ScalarType.Int64));
    }

    /// <summary>Records the table into a safetensors file that <see cref="Recording"/> reads; whole or not at all.</summary>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="table">The table.</param>
    /// <param name="seed">The seed of all inputs.</param>
    /// <param name="command">The command line, for the metadata.</param>
    /// <returns>The number of tensors.</returns>
    public static int Record(string path, CaseTable table, int seed, string command)
    {
        ArgumentNullException.ThrowIfNull(table);
        using DisposeScope scope = NewDisposeScope();
        manual_seed(seed);
        Dictionary<string, SafeTensors.Entry> tensors = new TorchSharpRecorder(table).tensors;
        SafeTensors.Write(path, tensors, new Dictionary<string, string>
        {
            ["recorded_with"] = $"{TorchSharpConv2d.Version}, CPU",
            ["command"] = command,
            ["seed"] = seed.ToString(CultureInfo.InvariantCulture),
            ["cases"] = table.Json.GetRawText(),
            ["cases_sha256"] = table.Sha256,
        });
        return tensors.Count;
    }

    void Record(Conv2dCase c)
    {
        using DisposeScope scope = NewDisposeScope();
        Conv2dShape s = c.Shape;
        Tensor Random(params long[] shape) => c.IsInteger
            ? randint(-3, 4, shape, dtype: ScalarType.Float32)
            : Uniform(shape, c.IsDouble ? ScalarType.Float64 : ScalarType.Float32);
        Tensor x = Random(s.Batch, s.InputChannels, s.Rows.Input, s.Columns.Input).requires_grad_();
        Tensor w = Random(s.OutputChannels, s.GroupInputChannels, s.Rows.Kernel, s.Columns.Kernel).requires_grad_();
        Tensor? b = c.Bias ? Random(s.OutputChannels).requires_grad_() : null;
        Tensor y = TorchSharpConv2d.Forward(s, x, w, b);
        Put(c.Id, x, w, b, y, Random(y.shape));
    }

    void Record(PoolCase c, Func<Tensor, Tensor> pool)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = Uniform(c.Batch, c.Image.Channels, c.Image.Height, c.Image.Width).requires_grad_();
        Tensor y = pool(x);
        Tensor dy = Uniform(y.shape);
        Put($"{c.Id}.x", x);
        Put($"{c.Id}.y", y);
        Put($"{c.Id}.dy", dy);
        Put($"{c.Id}.dx", autograd.grad([y], [x], [dy])[0]);
    }

    void Record(LinearCase c)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor? x, Tensor? w, Tensor? b) = (Uniform(c.Batch, c.In).requires_grad_(), Uniform(c.Out, c.In).requires_grad_(), Uniform(c.Out).requires_grad_());
        Tensor y = F.linear(x, w, b);
        Put(c.Id, x, w, b, y, Uniform(y.shape));
    }

    void Record(CrossEntropyCase c)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = (Uniform(c.Batch, c.Classes) * 4).requires_grad_();
        Tensor target = randint(0, c.Classes, [c.Batch], dtype: ScalarType.Int64);
        Tensor loss = F.cross_entropy(logits, target);
        Put($"{c.Id}.logits", logits);
        Put($"{c.Id}.target", target);
        Put($"{c.Id}.loss", loss);
        Put($"{c.Id}.dlogits", autograd.grad([loss], [logits])[0]);
    }

    // The table says it in words: conv(1,4,3,pad 1) relu maxpool2 conv(4,8,3) relu flatten linear(128,10), ten steps of SGD.
    void RecordTraining()
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(42);
        var (conv0, conv3, linear6) = (nn.Conv2d(1, 4, 3, padding: 1), nn.Conv2d(4, 8, 3), nn.Linear(8 * 4 * 4, 10));
        (string Name, TorchParameter Value)[] parameters =
        [
            ("0.weight", conv0.weight), ("0.bias", conv0.bias!),
            ("3.weight", conv3.weight), ("3.bias", conv3.bias!),
            ("6.weight", linear6.weight), ("6.bias", linear6.bias!),
        ];
        foreach ((string name, TorchParameter value) in parameters)
            Put($"training.initial.{name}", value);

        SGD optimizer = optim.SGD(parameters.Select(p => p.Value), 0.1, momentum: 0.9, weight_decay: 5e-4);
        for (int step = 0; step < 10; step++)
        {
            Tensor x = Uniform(20, 1, 12, 12);
            Tensor target = randint(0, 10, [20], dtype: ScalarType.Int64);
            optimizer.zero_grad();
            Tensor hidden = F.max_pool2d(F.relu(conv0.forward(x)), 2);
            Tensor loss = F.cross_entropy(linear6.forward(F.relu(conv3.forward(hidden)).flatten(1)), target);
            loss.backward();
            optimizer.step();
            Put($"training.{step:00}.x", x);
            Put($"training.{step:00}.target", target);
            Put($"training.{step:00}.loss", loss);
        }
        foreach ((string name, TorchParameter value) in parameters)
            Put($"training.final.{name}", value);
    }

    void Put(string id, Tensor x, Tensor w, Tensor? b, Tensor y, Tensor dy)
    {
        IList<Tensor> gradients = TorchSharpConv2d.Backward(y, dy, x, w, b);
        Put($"{id}.x", x);
        Put($"{id}.weight", w);
        Put($"{id}.y", y);
        Put($"{id}.dy", dy);
        Put($"{id}.dx", gradients[0]);
        Put($"{id}.dweight", gradients[1]);
        if (b is not null)
        {
            Put($"{id}.bias", b);
            Put($"{id}.dbias", gradients[2]);
        }
    }

    void Put(string name, Tensor tensor)
    {
        using Tensor t = tensor.detach().contiguous();
        tensors.Add(name, t.dtype switch
        {
            ScalarType.Int64 => SafeTensors.Entry.From<long>(t.data<long>().ToArray(), t.shape),
            ScalarType.Float64 => SafeTensors.Entry.From<double>(t.data<double>().ToArray(), t.shape),
            _ => SafeTensors.Entry.From<float>(t.data<float>().ToArray(), t.shape),
        });
    }

    static Tensor Uniform(params long[] shape) => Uniform(shape, ScalarType.Float32);

    static Tensor Uniform(long[] shape, ScalarType type) => rand(shape, dtype: type) * 2 - 1;

    static long[] Pair(Size2d size) => [size.Height, size.Width];

    static long[] Padding(PoolCase c) => [c.Window.Padding.Top, c.Window.Padding.Left];
}
