using System.Numerics.Tensors;

namespace MiniCnn.Tests;

public sealed class WeightsTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    string Path => System.IO.Path.Combine(folder, "model.safetensors");

    public void Dispose() => Directory.Delete(folder, recursive: true);

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
        Tensor<float> x = Tensor.Create(new Random(1).Reals(2 * 6 * 6), [2, 1, 6, 6]);
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
            float[] before = Everything(model);
            Assert.Contains(fault, Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path)).Message);
            Assert.Equal(before, Everything(model));
        }

        static float[] Everything(Sequential model) => [.. model.Parameters.SelectMany(p => p.Value.AsSpan().ToArray())];
    }

    /// <summary>Every name and every form is looked at before the first number is written, running statistics included.</summary>
    [Fact]
    public void A_file_with_one_fault_changes_nothing()
    {
        Sequential saved = new(new BatchNorm2d(2), new Conv2d(2, 1, 1)), model = new(new BatchNorm2d(2), new Conv2d(2, 1, 1));
        saved.Initialize(1);
        model.Initialize(2);
        saved.Forward(Tensor.Create(new Random(1).Reals(8), [2, 2, 1, 2]), training: true);
        Weights.Save(saved, Path);
        IReadOnlyDictionary<string, SafeTensors.Entry> good = SafeTensors.Read(Path).Tensors;
        byte[] before = Bytes(model);
        SafeTensors.Write(Path, [.. good, new("line\nline", SafeTensors.Entry.From<float>([1]))]);
        Assert.EndsWith("holds line line, which the model does not have", Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path)).Message);
        Assert.Equal(before, Bytes(model));
        foreach (string name in good.Keys)
        {
            foreach (SafeTensors.Entry? other in (SafeTensors.Entry?[])[null, SafeTensors.Entry.From<int>([1]), SafeTensors.Entry.From<float>(new float[3], 3)])
            {
                Dictionary<string, SafeTensors.Entry> tensors = new(good);
                tensors.Remove(name);
                if (other is not null)
                    tensors[name] = other;
                SafeTensors.Write(Path, tensors);
                Assert.Contains(name, Assert.Throws<InvalidDataException>(() => Weights.Load(model, Path)).Message, StringComparison.Ordinal);
                Assert.Equal(before, Bytes(model));
            }
        }

        byte[] Bytes(Sequential model)
        {
            string copy = System.IO.Path.Combine(folder, "copy");
            Weights.Save(model, copy);
            return File.ReadAllBytes(copy);
        }
    }
}
