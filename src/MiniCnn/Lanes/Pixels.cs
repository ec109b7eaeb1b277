using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A few vectors, kept in registers: neighbouring pixels of a row, or what a few taps read.</summary>
unsafe interface IPixels<P, V, T> where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Vectors in one P.</summary>
    static abstract int Count { get; }

    static abstract P Broadcast(T value);

    /// <summary>The vectors at from, from + step, …</summary>
    static abstract P Load(T* from, nint step);

    /// <summary>The vectors at from + offsets[0], from + offsets[1], …</summary>
    static abstract P Load(T* from, nint* offsets);

    /// <summary>this + weight · x.</summary>
    P Plus(V weight, P x);

    /// <summary>What is above 0 or NaN, and 0 elsewhere.</summary>
    P Positive();

    void Store(T* to, nint step);
}

/// <summary>One vector.</summary>
readonly unsafe struct Pixels1<V, T>(V a) : IPixels<Pixels1<V, T>, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly V a = a;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels1<V, T> Broadcast(T value) => new(V.Broadcast(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels1<V, T> Load(T* from, nint step) => new(V.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels1<V, T> Load(T* from, nint* offsets) => new(V.Load(from + offsets[0]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels1<V, T> Plus(V weight, Pixels1<V, T> x) => new(V.MultiplyAdd(weight, x.a, a));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels1<V, T> Positive() => new(V.Positive(a));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step) => a.Store(to);
}

/// <summary>Two vectors.</summary>
readonly unsafe struct Pixels2<V, T>(V a, V b) : IPixels<Pixels2<V, T>, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly V a = a, b = b;

    public static int Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels2<V, T> Broadcast(T value)
    {
        V v = V.Broadcast(value);
        return new(v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels2<V, T> Load(T* from, nint step) => new(V.Load(from), V.Load(from + step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels2<V, T> Load(T* from, nint* offsets) => new(V.Load(from + offsets[0]), V.Load(from + offsets[1]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels2<V, T> Plus(V weight, Pixels2<V, T> x) => new(V.MultiplyAdd(weight, x.a, a), V.MultiplyAdd(weight, x.b, b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels2<V, T> Positive() => new(V.Positive(a), V.Positive(b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to);
        b.Store(to + step);
    }
}

/// <summary>Three vectors.</summary>
readonly unsafe struct Pixels3<V, T>(V a, V b, V c) : IPixels<Pixels3<V, T>, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly V a = a, b = b, c = c;

    public static int Count => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels3<V, T> Broadcast(T value)
    {
        V v = V.Broadcast(value);
        return new(v, v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels3<V, T> Load(T* from, nint step) => new(V.Load(from), V.Load(from + step), V.Load(from + 2 * step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels3<V, T> Load(T* from, nint* offsets) => new(V.Load(from + offsets[0]), V.Load(from + offsets[1]), V.Load(from + offsets[2]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels3<V, T> Plus(V weight, Pixels3<V, T> x) =>
        new(V.MultiplyAdd(weight, x.a, a), V.MultiplyAdd(weight, x.b, b), V.MultiplyAdd(weight, x.c, c));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels3<V, T> Positive() => new(V.Positive(a), V.Positive(b), V.Positive(c));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to);
        b.Store(to + step);
        c.Store(to + 2 * step);
    }
}

/// <summary>Four vectors.</summary>
readonly unsafe struct Pixels4<V, T>(V a, V b, V c, V d) : IPixels<Pixels4<V, T>, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly V a = a, b = b, c = c, d = d;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels4<V, T> Broadcast(T value)
    {
        V v = V.Broadcast(value);
        return new(v, v, v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels4<V, T> Load(T* from, nint step) => new(V.Load(from), V.Load(from + step), V.Load(from + 2 * step), V.Load(from + 3 * step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pixels4<V, T> Load(T* from, nint* offsets) =>
        new(V.Load(from + offsets[0]), V.Load(from + offsets[1]), V.Load(from + offsets[2]), V.Load(from + offsets[3]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels4<V, T> Plus(V weight, Pixels4<V, T> x) => new(
        V.MultiplyAdd(weight, x.a, a), V.MultiplyAdd(weight, x.b, b), V.MultiplyAdd(weight, x.c, c), V.MultiplyAdd(weight, x.d, d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Pixels4<V, T> Positive() => new(V.Positive(a), V.Positive(b), V.Positive(c), V.Positive(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to);
        b.Store(to + step);
        c.Store(to + 2 * step);
        d.Store(to + 3 * step);
    }
}

/// <summary>Three times the vectors of Q: enough for a single channel to hide the latency of a multiply-add.</summary>
readonly unsafe struct PixelsThrice<Q, V, T>(Q a, Q b, Q c) : IPixels<PixelsThrice<Q, V, T>, V, T>
    where Q : struct, IPixels<Q, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly Q a = a, b = b, c = c;

    public static int Count => 3 * Q.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PixelsThrice<Q, V, T> Broadcast(T value) => new(Q.Broadcast(value), Q.Broadcast(value), Q.Broadcast(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PixelsThrice<Q, V, T> Load(T* from, nint step) =>
        new(Q.Load(from, step), Q.Load(from + Q.Count * step, step), Q.Load(from + 2 * Q.Count * step, step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PixelsThrice<Q, V, T> Load(T* from, nint* offsets) =>
        new(Q.Load(from, offsets), Q.Load(from, offsets + Q.Count), Q.Load(from, offsets + 2 * Q.Count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelsThrice<Q, V, T> Plus(V weight, PixelsThrice<Q, V, T> x) => new(a.Plus(weight, x.a), b.Plus(weight, x.b), c.Plus(weight, x.c));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelsThrice<Q, V, T> Positive() => new(a.Positive(), b.Positive(), c.Positive());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to, step);
        b.Store(to + Q.Count * step, step);
        c.Store(to + 2 * Q.Count * step, step);
    }
}
