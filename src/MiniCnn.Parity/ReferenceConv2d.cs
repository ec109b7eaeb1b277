using System.Numerics;

namespace MiniCnn.Parity;

/// <summary>A convolution and its gradients by <see cref="Conv2dReference"/>.</summary>
public static class ReferenceConv2d
{
    /// <summary>Runs all four loop nests.</summary>
    public static Conv2dResults<T> Run<T>(Conv2dShape shape, Conv2dInputs<T> inputs) where T : INumber<T>
    {
        (T[] x, T[] w, T[] b, T[] dy) = inputs;
        Conv2dResults<T> results = new(new T[dy.Length], new T[x.Length], new T[w.Length], new T[b.Length]);
        Conv2dReference.Forward<T>(shape, x, w, b, results.Y);
        Conv2dReference.BackwardInput<T>(shape, dy, w, results.Dx);
        Conv2dReference.BackwardWeight<T>(shape, x, dy, results.Dweight);
        if (b.Length > 0)
            Conv2dReference.BackwardBias<T>(shape, dy, results.Dbias);
        return results;
    }
}
