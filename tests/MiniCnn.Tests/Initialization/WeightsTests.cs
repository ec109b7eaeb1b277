using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MiniCnn.Tests;

public sealed class WeightsTests : FolderTests
{
    string Path => PathOf("model.safetensors");

    static Sequential Model(int seed, int features = 3)
    {
        Sequential model = new(new Conv2d(1, 2, (3, 2)), new ReLU(), new Flatten(), new Linear(2 * 4 * 5, features));
        model.Initialize(seed);
        return model;
    }

    [Fact]
    public void What_is_saved_is_loaded_and_the_same_weights_are_the_same_bytes()
    {
        Sequential saved = Model(seed: 1), loaded = Model(seed: 2);
        Weights.Save(saved, Path);
        byte[] bytes = File.ReadAllBytes(Path);
        Weights.Load(loaded, Path);
        Tensor<float> x = new Random(1).Tensor(2, 1, 6, 6);
        Assert.Equal(saved.Forward(x).AsSpan().ToArray(), loaded.Forward(x).AsSpan().ToArray());
        Assert.Equal([new("format", "pt")], SafeTensors.Read(Path).Metadata);
        Weights.Save(loaded, Path, [new("format", "tf"), new("classes", "cat dog")]);
        Assert.Equal([new("classes", "cat dog"), new("format", "pt")], SafeTensors.Read(Path).Metadata.OrderBy(about => about.Key));
        Weights.Save(loaded, Path);
        Assert.Equal(bytes, File.ReadAllBytes(Path));
        Assert.Equal(["0.bias", "0.weight", "3.bias", "3.weight"], SafeTensors.Read(Path).Tensors.Keys.Order());
    }

    [Fact]
    public void A_file_of_another_model_changes_nothing()
    {
        Weights.Save(Model(seed: 1), Path);
        Sequential wider = Model(seed: 2, features: 4), longer = new(new Conv2d(1, 2, (3, 2)), new Conv2d(2, 2, 1)), shorter = new(new Conv2d(1, 2, (3, 2)));
        foreach ((Sequential model, string fault) in ((Sequential, string)[])
        [
            (wider, "3.weight is F32 [3, 40], but the model's is F32 [4, 40]"),
            (longer, "has no 1.weight F32 [2, 2, 1, 1]; it holds 0.bias, 0.weight, 3.bias, 3.weight"),
            (shorter, "holds 3.bias, which the model does not have"),
        ])
        {
            float[] before = model.Values;
            Assert.Contains(fault, Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path)).Message);
            Assert.Equal(before, model.Values);
        }
    }

    /// <summary>All names, shapes and types are verified before the first number is written, running statistics included.</summary>
    [Fact]
    public void A_file_with_one_fault_changes_nothing()
    {
        Sequential saved = new(new BatchNorm2d(2), new Conv2d(2, 1, 1)), model = new(new BatchNorm2d(2), new Conv2d(2, 1, 1));
        saved.Initialize(1);
        model.Initialize(2);
        saved.Forward(new Random(1).Tensor(2, 2, 1, 2), training: true);
        Weights.Save(saved, Path);
        IReadOnlyDictionary<string, SafeTensors.Entry> good = SafeTensors.Read(Path).Tensors;
        byte[][] before = model.State;
        SafeTensors.Write(Path, [.. good, new("line\nline", SafeTensors.Entry.From<float>([1]))]);
        Assert.Contains("holds line line, which the model does not have; strict: false loads the matching tensors", Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path)).Message);
        Assert.Equal(before, model.State);
        foreach (string name in good.Keys)
        {
            foreach (SafeTensors.Entry? other in (SafeTensors.Entry?[])[null, SafeTensors.Entry.From<int>([1]), SafeTensors.Entry.From<float>(new float[3], 3)])
            {
                if (other is null && name == "0.num_batches_tracked")
                    continue;
                Dictionary<string, SafeTensors.Entry> tensors = new(good);
                tensors.Remove(name);
                if (other is not null)
                    tensors[name] = other;
                SafeTensors.Write(Path, tensors);
                Assert.Contains(name, Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path)).Message, StringComparison.Ordinal);
                Assert.Equal(before, model.State);
            }
        }
    }

    /// <summary>Loads the weights of a layer from a file with elements of the given type, given as bits.</summary>
    float[] Loaded<B>(string type, params B[] bits) where B : unmanaged
    {
        Linear layer = new(bits.Length, 1, bias: false);
        SafeTensors.Write(Path, [new("weight", new(type, [1, bits.Length], MemoryMarshal.AsBytes(bits.AsSpan()).ToArray()))]);
        WeightsReport report = Weights.Load(layer, Path);
        Assert.Equal(["weight"], report.Loaded);
        Assert.Equal(["weight"], report.Converted);
        Assert.EndsWith($"1 of the model's 1 tensors loaded, 1 of them converted to F32 from {type}", report.ToString(), StringComparison.Ordinal);
        return layer.Weight.Value.AsSpan().ToArray();
    }

    static readonly ushort[] all = [.. Enumerable.Range(0, 1 << 16).Select(bits => (ushort)bits)];

    /// <summary>All values of IEEE 754 binary16: one sign bit, five exponent bits, ten fraction bits.</summary>
    [Fact]
    public void F16_is_exact()
    {
        float[] loaded = Loaded("F16", all);
        foreach (ushort bits in all)
        {
            (int exponent, int fraction) = (bits >> 10 & 31, bits & 1023);
            double size = exponent switch
            {
                0 => Math.ScaleB(fraction, -24),
                31 => fraction == 0 ? double.PositiveInfinity : double.NaN,
                _ => Math.ScaleB(1024 + fraction, exponent - 25),
            };
            Assert.Equal(bits >> 15 == 0 ? size : -size, loaded[bits]);
            Assert.Equal(bits >> 15 == 1, float.IsNegative(loaded[bits]));          // of zeros too
        }
        Assert.Equal([1f, -2f, 65504f, 5.9604645e-8f, 0.33325195f], new[] { 0x3c00, 0xc000, 0x7bff, 1, 0x3555 }.Select(bits => loaded[bits]));
    }

    /// <summary>All values of bfloat16, the upper half of a float.</summary>
    [Fact]
    public void BF16_is_exact()
    {
        float[] loaded = Loaded("BF16", all);
        Assert.Equal(all.Select(bits => (uint)bits << 16), loaded.Select(BitConverter.SingleToUInt32Bits));
        Assert.Equal([1f, -2f, 3.140625f, float.PositiveInfinity, 9.18355e-41f], new[] { 0x3f80, 0xc000, 0x4049, 0x7f80, 1 }.Select(bits => loaded[bits]));
    }

    [Fact]
    public void F64_is_rounded_to_the_nearest_and_ties_to_even()
    {
        (double From, float To)[] pairs =
        [
            (0.1, 0.1f), (-0.0, -0f), (double.NaN, float.NaN), (double.NegativeInfinity, float.NegativeInfinity), (1e300, float.PositiveInfinity),
            (1 + Math.ScaleB(1, -24), 1), (1 + Math.ScaleB(3, -24), 1 + 2 * MathF.ScaleB(1, -23)),                              // ties
            (1 + Math.ScaleB(1, -24) + Math.ScaleB(1, -52), 1 + MathF.ScaleB(1, -23)), (1 + Math.ScaleB(3, -24) - Math.ScaleB(1, -52), 1 + MathF.ScaleB(1, -23)),
            (-1 - Math.ScaleB(1, -24), -1), (16777217, 16777216), (16777219, 16777220),
            (Math.ScaleB(1, -149), float.Epsilon), (Math.ScaleB(1, -150), 0), (-Math.ScaleB(1, -150), -0f), (Math.ScaleB(1.0001, -150), float.Epsilon),
            (Math.ScaleB(3, -150), 2 * float.Epsilon), (Math.ScaleB(1, -126) - Math.ScaleB(1, -150), MathF.ScaleB(1, -126)), (double.Epsilon, 0),
            (float.MaxValue, float.MaxValue), (float.MaxValue + Math.ScaleB(1, 103), float.PositiveInfinity),                   // a tie with 2¹²⁸
            (float.MaxValue + Math.ScaleB(1, 102), float.MaxValue), (-float.MaxValue - Math.ScaleB(1, 103), float.NegativeInfinity),
        ];
        float[] loaded = Loaded("F64", [.. pairs.Select(pair => BitConverter.DoubleToUInt64Bits(pair.From))]);
        for (int i = 0; i < pairs.Length; i++)
            Assert.True(pairs[i].To.Equals(loaded[i]) && (float.IsNaN(loaded[i]) || float.IsNegative(pairs[i].To) == float.IsNegative(loaded[i])), $"{pairs[i].From:R} is {loaded[i]:R}");
    }

    static Sequential Normed(int classes = 3) => new(new Conv2d(1, 2, (3, 2)), new BatchNorm2d(2), new ReLU(), new Flatten(), new Linear(2 * 4 * 5, classes));

    [Fact]
    public void A_file_without_num_batches_tracked_loads_and_the_models_count_stays()
    {
        (Sequential saved, Sequential model) = (Normed(), Normed());
        Weights.Save(saved, Path);
        SafeTensors.Write(Path, SafeTensors.Read(Path).Tensors.Where(tensor => tensor.Key != "1.num_batches_tracked"));
        foreach (int passes in (int[])[0, 2])
        {
            for (int pass = 0; pass < passes; pass++)
                model.Forward(new Random(pass).Tensor(3, 1, 6, 6), training: true);
            WeightsReport report = Weights.Load(model, Path);
            Assert.Equal(["1.num_batches_tracked"], report.Missing);
            Assert.EndsWith(": 8 of the model's 9 tensors loaded\n  not in the file, so unchanged: 1.num_batches_tracked", report.ToString(), StringComparison.Ordinal);
            Assert.Equal(passes, ((BatchNorm2d)model.Layers[1]).BatchesTracked);
            Assert.Equal([0, 0], ((BatchNorm2d)model.Layers[1]).RunningMean.AsSpan().ToArray());
        }
    }

    /// <summary>A file in half precision, with the names of DataParallel, of a network with another head.</summary>
    [Fact]
    public void What_fits_is_loaded_under_new_names_and_the_rest_is_told()
    {
        (Sequential saved, Sequential model) = (Normed(classes: 5), Normed());
        saved.Initialize(1);
        model.Initialize(2);
        Weights.Save(saved, Path);
        SafeTensors.Write(Path,
        [
            .. SafeTensors.Read(Path).Tensors.Where(tensor => tensor.Key != "1.bias").Select(tensor => KeyValuePair.Create($"module.features.{tensor.Key}",
                tensor.Key == "0.weight" ? SafeTensors.Entry.From<Half>([.. saved.Parameters[0].Value.AsSpan().ToArray().Select(x => (Half)x)], [.. tensor.Value.Shape]) : tensor.Value)),
            new("module.fc.weight", SafeTensors.Entry.From<float>([1], 1)), new("optimizer.step", SafeTensors.Entry.From<long>([7])),
        ]);
        float[][] before = [.. model.Parameters.Select(p => p.Value.AsSpan().ToArray())];
        Assert.Contains("has no 0.weight", Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path)).Message, StringComparison.Ordinal);
        Assert.Contains("no tensor in it matches", Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path, strict: false)).Message, StringComparison.Ordinal);
        Assert.Equal(before, model.Parameters.Select(p => p.Value.AsSpan().ToArray()));

        WeightsReport report = Weights.Load(model, Path, strict: false, name => name.StartsWith("optimizer.", StringComparison.Ordinal) ? null : name.Replace("module.features.", "", StringComparison.Ordinal));
        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.running_mean", "1.running_var", "1.num_batches_tracked"], report.Loaded);
        Assert.Equal(["0.weight"], report.Converted);
        Assert.Equal(["1.bias"], report.Missing);
        Assert.Equal(["module.fc.weight"], report.Unexpected);
        Assert.Equal(["4.weight", "4.bias"], report.Mismatched);
        Assert.Equal(["optimizer.step"], report.LeftOut);
        Assert.Equal(
            $"""
            {Path}: 6 of the model's 9 tensors loaded, 1 of them converted to F32 from F16
              not in the file, so unchanged: 1.bias
              of another shape or type, so unchanged: 4.weight (F32 [5, 40] in the file, F32 [3, 40] in the model), 4.bias (F32 [5] in the file, F32 [3] in the model)
              in the file, but not in the model: module.fc.weight
              skipped by rename: optimizer.step
            """, report.ToString());
        Assert.Equal([.. saved.Parameters[0].Value.AsSpan().ToArray().Select(x => (float)(Half)x)], model.Parameters[0].Value.AsSpan().ToArray());
        Assert.Equal(saved.Parameters[1].Value.AsSpan().ToArray(), model.Parameters[1].Value.AsSpan().ToArray());
        Assert.Equal(before[3..], model.Parameters.Skip(3).Select(p => p.Value.AsSpan().ToArray()));
    }

    [Fact]
    public void A_rename_alone_loads_strictly_and_one_that_fails_changes_nothing()
    {
        (Sequential saved, Sequential model) = (Model(seed: 1), Model(seed: 2));
        Weights.Save(saved, Path);
        SafeTensors.Write(Path, SafeTensors.Read(Path).Tensors.Select(tensor => KeyValuePair.Create($"net.{tensor.Key}", tensor.Value)));
        byte[][] before = model.State;
        Assert.Contains(
            "net.0.bias and net.0.weight are both renamed to 0.weight",
            Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path, strict: false, name => name[4..].Replace("bias", "weight", StringComparison.Ordinal))).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => Weights.Load(model, Path, rename: name => name.EndsWith("3.weight", StringComparison.Ordinal) ? throw new FormatException() : name[4..]));
        Assert.Equal(before, model.State);
        WeightsReport report = Weights.Load(model, Path, rename: name => name[4..]);
        Assert.Equal((4, 0, 0, 0, 0, 0), (report.Loaded.Count, report.Converted.Count, report.Missing.Count, report.Unexpected.Count, report.Mismatched.Count, report.LeftOut.Count));
        Assert.Equal($"{Path}: 4 of the model's 4 tensors loaded", report.ToString());
        Assert.Equal(saved.State, model.State);
    }

    [Fact]
    public void Whole_numbers_and_a_long_list_are_told()
    {
        Sequential model = new([.. Enumerable.Range(0, 8).Select(_ => new Linear(1, 1))]);
        SafeTensors.Write(Path, [new("0.weight", SafeTensors.Entry.From<float>([2], 1, 1)), new("0.bias", SafeTensors.Entry.From<int>([1], 1)), new("a\nb", SafeTensors.Entry.From<float>([1]))]);
        WeightsReport report = Weights.Load(model, Path, strict: false);
        Assert.Equal(["0.bias"], report.Mismatched);
        string[] lines = report.ToString().Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.EndsWith(": 1.weight, 1.bias, 2.weight, 2.bias, 3.weight, 3.bias, 4.weight, 4.bias, 5.weight, 5.bias and 4 more", lines[1], StringComparison.Ordinal);
        Assert.Contains("0.bias (I32 [1] in the file, F32 [1] in the model)", lines[2], StringComparison.Ordinal);
        Assert.EndsWith("in the model: a b", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void A_models_file_in_another_precision_is_the_model()
    {
        Sequential net = new(new Flatten(), new Linear(12, 2));
        net.Initialize(1);
        foreach (Parameter p in net.Parameters)
            foreach (ref float value in p.Value.AsSpan())
                value = (float)(Half)value;
        ImageClassifier model = new(net, new(3, 2, 2), [0, 0, 0], [1, 1, 1], ["a", "b"]);
        model.Save(Path);
        SafeTensorsFile file = SafeTensors.Read(Path);
        SafeTensors.Write(Path, file.Tensors.Select(tensor => KeyValuePair.Create(tensor.Key,
            SafeTensors.Entry.From<Half>([.. tensor.Value.As<float>().ToArray().Select(x => (Half)x)], [.. tensor.Value.Shape]))), file.Metadata);
        Tensor<float> x = new Random(1).Tensor(1, 3, 2, 2);
        Assert.Equal(net.Forward(x).AsSpan().ToArray(), ImageClassifier.Load(Path).Network.Forward(x).AsSpan().ToArray());
    }
}
