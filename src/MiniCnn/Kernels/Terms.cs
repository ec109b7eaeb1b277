using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A term of a sum, computed from a pixel of x and the same pixel of dy.</summary>
unsafe interface ITerm<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    V Of(T* x, T* dy);
}

/// <summary>x.</summary>
readonly unsafe struct ValueTerm<V, T> : ITerm<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Of(T* x, T* dy) => V.Load(x);
}

/// <summary>(x − mean)².</summary>
readonly unsafe struct SquareTerm<V, T>(V mean) : ITerm<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Of(T* x, T* dy)
    {
        V difference = V.Load(x) - mean;
        return difference * difference;
    }
}

/// <summary>(x − mean) · dy.</summary>
readonly unsafe struct ProductTerm<V, T>(V mean) : ITerm<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Of(T* x, T* dy) => (V.Load(x) - mean) * V.Load(dy);
}
