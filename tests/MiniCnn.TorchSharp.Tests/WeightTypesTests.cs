using System.Runtime.InteropServices;
using MiniCnn.Interop;
using TorchSharp;
using static TorchSharp.torch;

namespace MiniCnn.Tests;

/// <summary>Weights of other element types become floats as TorchSharp's <c>.to(float32)</c> makes them, to the bit.</summary>
public sealed class WeightTypesTests
{
    static WeightTypesTests() => TorchLibrary.Load();

    [Fact]
    public void Every_half_and_every_bfloat16_is_what_torch_makes_of_it()
    {
        using DisposeScope scope = NewDisposeScope();
        short[] bits = [.. Enumerable.Range(0, 1 << 16).Select(i => (short)i)];
        foreach ((string name, ScalarType type) in ((string, ScalarType)[])[("F16", ScalarType.Float16), ("BF16", ScalarType.BFloat16)])
        {
            byte[] data = MemoryMarshal.AsBytes(bits.AsSpan()).ToArray();
            Tensor theirs = empty(bits.Length, dtype: type);
            data.CopyTo(theirs.bytes);
            AssertSame(name, data, theirs, bits.Length);
        }
    }

    /// <summary>Doubles of all sizes that float has and some beyond, and ties between two floats.</summary>
    [Fact]
    public void Doubles_are_rounded_as_torch_rounds_them()
    {
        using DisposeScope scope = NewDisposeScope();
        Random random = new(1);
        double[] doubles =
        [
            .. Enumerable.Range(0, 20_000).Select(i => (random.NextDouble() - 0.5) * Math.ScaleB(1, i % 290 - 155)),
            .. Enumerable.Range(0, 20_000).Select(i => Math.ScaleB(2 * random.Next(1 << 23, 1 << 24) + 1, i % 290 - 175)),       // halfway between floats
            double.NaN, double.PositiveInfinity, double.NegativeInfinity, -0.0, double.Epsilon, double.MaxValue,
        ];
        AssertSame("F64", MemoryMarshal.AsBytes(doubles.AsSpan()).ToArray(), tensor(doubles), doubles.Length);
    }

    static void AssertSame(string type, byte[] data, Tensor theirs, int count)
    {
        string path = Path.GetTempFileName();
        SafeTensors.Write(path, [new("weight", new(type, [1, count], data))]);
        Linear layer = new(count, 1, bias: false);
        Weights.Load(layer, path);
        File.Delete(path);
        float[] expected = theirs.to(ScalarType.Float32).data<float>().ToArray(), ours = layer.Weight.Value.AsSpan().ToArray();
        Assert.True(expected.Distinct().Count() > 0.9 * count);
        for (int i = 0; i < count; i++)
        {
            bool same = BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(ours[i]) || float.IsNaN(expected[i]) && float.IsNaN(ours[i]);
            Assert.True(same, $"{type} {i}: {ours[i]:R}, not {expected[i]:R}");
        }
    }
}
