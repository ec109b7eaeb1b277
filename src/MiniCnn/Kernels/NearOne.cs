using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>log(1 + x) and eˣ − 1, accurate for small x, where adding or subtracting 1 loses digits.</summary>
/// <remarks>
/// u is the rounded 1 + x or eˣ. Its rounding error changes log(u) and u − 1 by nearly the same factor, so the quotient log(u) / (u − 1) is accurate.
/// Source: Kahan, see Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1.
/// </remarks>
static class NearOne
{
    /// <summary>log(1 + x) for x ≥ 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V LogP1<T, V>(V x) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V one = V.Broadcast(T.One), u = one + x;
        return V.Select(V.Equal(u, one), x, x * (V.Log(u) / (u - one)));
    }

    /// <summary>eˣ − 1 for x ≤ 0. x below −80 is replaced by −80, because u would become 0; the result is −1 in both cases.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpM1<T, V>(V x) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V one = V.Broadcast(T.One), z = V.Max(x, V.Broadcast(T.CreateTruncating(-80))), u = V.Exp(z);
        return V.Select(V.Equal(u, one), z, z * ((u - one) / V.Log(u)));
    }
}
