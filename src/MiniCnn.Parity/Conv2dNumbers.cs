using System.Numerics;

namespace MiniCnn.Parity;

/// <summary>What goes into a convolution and its gradients; NCHW, row-major.</summary>
/// <param name="X">Input, [N, IC, H, W].</param>
/// <param name="Weight">Weight, [OC, IC/groups, kH, kW].</param>
/// <param name="Bias">Bias, [OC], or empty.</param>
/// <param name="Dy">Gradient of the output, [N, OC, OH, OW].</param>
public sealed record Conv2dInputs<T>(T[] X, T[] Weight, T[] Bias, T[] Dy) where T : INumber<T>
{
    /// <summary>Numbers for a case, from a seed: whole ones −3 … 3, or any in −1 … 1.</summary>
    public static Conv2dInputs<T> Random(Conv2dCase c, int seed)
    {
        Random random = new(seed);
        T Next() => T.CreateChecked(c.IsInteger ? random.Next(-3, 4) : random.NextDouble() * 2 - 1);
        T[] Fill(int length) => [.. Enumerable.Range(0, length).Select(_ => Next())];
        Conv2dShape s = c.Shape;
        return new(Fill(s.InputLength), Fill(s.WeightLength), Fill(c.Bias ? s.OutputChannels : 0), Fill(s.OutputLength));
    }

    /// <summary>Every number turned into another.</summary>
    public Conv2dInputs<U> Select<U>(Converter<T, U> turn) where U : INumber<U> =>
        new(Array.ConvertAll(X, turn), Array.ConvertAll(Weight, turn), Array.ConvertAll(Bias, turn), Array.ConvertAll(Dy, turn));
}

/// <summary>What comes out.</summary>
/// <param name="Y">Output, [N, OC, OH, OW].</param>
/// <param name="Dx">Gradient of the input.</param>
/// <param name="Dweight">Gradient of the weight.</param>
/// <param name="Dbias">Gradient of the bias, or empty.</param>
public sealed record Conv2dResults<T>(T[] Y, T[] Dx, T[] Dweight, T[] Dbias) where T : INumber<T>;
