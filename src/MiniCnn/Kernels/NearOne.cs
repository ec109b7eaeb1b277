using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>log(1 + x) and eˣ − 1 with the digits that are lost beside the 1 where x is small.</summary>
/// <remarks>
/// u, the rounded 1 + x or eˣ, is as far off in log(u) as in u − 1, so that log(u) / (u − 1) is right for the x that is meant.
/// Source: Kahan, see Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1.
/// </remarks>
static class NearOne
{
    /// <summary>log(1 + x), x at least 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V LogP1<T, V>(V x) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V one = V.Broadcast(T.One), u = one + x;
        return V.Select(V.Equal(u, one), x, x * (V.Log(u) / (u - one)));
    }

    /// <summary>eˣ − 1, x at most 0; below −80, where nothing is left of eˣ, u would become 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpM1<T, V>(V x) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V one = V.Broadcast(T.One), z = V.Max(x, V.Broadcast(T.CreateTruncating(-80))), u = V.Exp(z);
        return V.Select(V.Equal(u, one), z, z * ((u - one) / V.Log(u)));
    }
}
