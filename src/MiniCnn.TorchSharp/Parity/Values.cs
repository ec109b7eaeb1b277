using System.Numerics.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MiniCnn.Interop;

/// <summary>A tensor: numbers in row-major order and a shape.</summary>
sealed class Values(double[] numbers, params long[] shape)
{
    double? largest;

    public double[] Numbers => numbers;

    public long[] Shape => shape;

    /// <summary>Bound of the accumulated rounding error of a number in float. 0 if it was not measured.</summary>
    public double Bound { get; set; }

    /// <summary>Shape of one image if the tensor is [N, C, H, W] or [N, features], otherwise null.</summary>
    public ImageShape? Image => shape switch
    {
        [_, > 0 and long features] => ImageShape.Features((int)features),
        [_, > 0 and long c, > 0 and long h, > 0 and long w] => new((int)c, (int)h, (int)w),
        _ => null,
    };

    /// <summary>The largest finite |number|.</summary>
    public double Largest => largest ??= LargestOf(numbers);

    public bool IsFinite => Array.TrueForAll(numbers, double.IsFinite);

    static double LargestOf(double[] numbers)
    {
        double largest = 0;
        foreach (double number in numbers)
            largest = Math.Abs(number) > largest && double.IsFinite(number) ? Math.Abs(number) : largest;
        return largest;
    }

    public static Values Of(Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        return new(tensor.numel() == 0 ? [] : tensor.detach().to(ScalarType.Float64, CPU).contiguous().data<double>().ToArray(), tensor.shape);
    }

    public static Values Of(Tensor<float> tensor) => Of(tensor.AsSpan(), tensor.Lengths);

    public static Values Of(ReadOnlySpan<float> numbers, ReadOnlySpan<nint> lengths) => new(Doubles(numbers), ShapeOf(lengths));

    public static Values Of(StoredTensor tensor)
    {
        SafeTensors.Entry saved = tensor.Save();
        return new(Doubles(saved.As<float>()), [.. saved.Shape]);
    }

    public static Values Of(double[] numbers, int count, ImageShape image) =>
        image.IsFlat ? new(numbers, count, image.Channels) : new(numbers, count, image.Channels, image.Height, image.Width);

    public static double[] Doubles(ReadOnlySpan<float> numbers) => Array.ConvertAll(numbers.ToArray(), x => (double)x);

    public static long[] ShapeOf(ReadOnlySpan<nint> lengths) => Array.ConvertAll(lengths.ToArray(), n => (long)n);

    /// <summary>The numbers, rounded to float.</summary>
    public float[] ToFloats() => Array.ConvertAll(numbers, x => (float)x);

    public Tensor<float> ToTensor() => System.Numerics.Tensors.Tensor.Create(ToFloats(), [.. shape.Select(n => (nint)n)]);

    /// <summary>The shape as <see cref="Diagnosis.Turns"/> needs it.</summary>
    public int[] Sizes => Array.ConvertAll(shape, n => (int)n);

    /// <summary>Applies a function to each number.</summary>
    public Values Map(Func<double, double> change) => new(Array.ConvertAll(numbers, x => change(x)), shape);

    /// <summary>Rearranges the numbers. from returns the old index for a new index.</summary>
    public Values Moved(Func<int, int> from) => new([.. Enumerable.Range(0, numbers.Length).Select(i => numbers[from(i)])], shape);

    /// <summary>Adds two tensors elementwise. Null if the shapes differ.</summary>
    public Values? Plus(Values other) => HasShapeOf(other) ? new([.. numbers.Zip(other.Numbers, (a, b) => a + b)], shape) : null;

    /// <summary>Returns the channels first … first + count − 1 of [N, C, …].</summary>
    public Values Channels(long first, long count)
    {
        long plane = shape.Skip(2).Aggregate(1L, (a, b) => a * b), image = shape[1] * plane;
        double[] Part(int n) => numbers.AsSpan((int)(n * image + first * plane), (int)(count * plane)).ToArray();
        return new([.. Enumerable.Range(0, (int)shape[0]).SelectMany(Part)], [shape[0], count, .. shape[2..]]);
    }

    /// <summary>Concatenates tensors along the channels, like torch.cat(…, 1). Null if the shapes do not match.</summary>
    public static Values? Cat(IReadOnlyList<Values> parts)
    {
        long[] first = parts[0].Shape;
        if (parts.Any(part => part.Shape.Length != first.Length || part.Shape[0] != first[0] || !part.Shape.Skip(2).SequenceEqual(first.Skip(2))))
            return null;
        int count = (int)first[0];
        double[] Image(Values part, int n) => part.Numbers.AsSpan(part.Numbers.Length / count * n, part.Numbers.Length / count).ToArray();
        return new(
            [.. Enumerable.Range(0, count).SelectMany(n => parts.SelectMany(part => Image(part, n)))],
            [count, parts.Sum(part => part.Shape[1]), .. first.Skip(2)]);
    }

    public bool HasShapeOf(Values other) => shape.SequenceEqual(other.Shape);

    /// <summary>Returns the largest |difference| and its index. It is infinite if only one of two numbers is NaN or infinite.</summary>
    public (double Error, int At) DifferenceFrom(Values other)
    {
        (double Error, int At) worst = (0, 0);
        for (int i = 0; i < numbers.Length; i++)
        {
            double error = numbers[i].Equals(other.Numbers[i]) ? 0 : Math.Abs(numbers[i] - other.Numbers[i]);
            if (!(error <= worst.Error))
                worst = (double.IsNaN(error) ? double.PositiveInfinity : error, i);
        }
        return worst;
    }

    /// <summary>Returns a multi-dimensional index: “[0, 3, 1, 2]”.</summary>
    public string Place(int index)
    {
        long[] place = new long[shape.Length];
        long rest = index;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
            (rest, place[axis]) = Math.DivRem(rest, shape[axis]);
        return $"[{string.Join(", ", place)}]";
    }

    /// <summary>Returns the shape: “[8, 1, 28, 28]”.</summary>
    public override string ToString() => $"[{string.Join(", ", shape)}]";
}
