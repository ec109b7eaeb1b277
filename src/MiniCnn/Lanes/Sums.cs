using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// A tile of sums, some channels of some vectors each, kept in registers from the first product to the last.
/// </summary>
/// <remarks>
/// Twelve sums hide the latency of a multiply-add and fit 16 registers with what they are made of, twenty-four fit 32. A tile of more
/// channels reads its pixels less often.
/// </remarks>
unsafe interface ISums<S, P, V, T>
    where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Channels.</summary>
    static abstract int Count { get; }

    /// <summary>start[c] in each sum of channel c.</summary>
    static abstract S Broadcast(T* start);

    /// <summary>Channel c's vectors at from + c · channel, step apart.</summary>
    static abstract S Load(T* from, nint channel, nint step);

    /// <summary>Channel c + w[c · channel] · x: one weight for all lanes.</summary>
    S PlusNumbers(T* w, nint channel, P x);

    /// <summary>Channel c + the vector at w + c · channel, times x: a weight a lane.</summary>
    S PlusVectors(T* w, nint channel, P x);

    S Positive();

    void Store(T* to, nint channel, nint step);
}

/// <summary>One channel.</summary>
readonly unsafe struct Sums1<P, V, T>(P a) : ISums<Sums1<P, V, T>, P, V, T>
    where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly P a = a;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Sums1<P, V, T> Broadcast(T* start) => new(P.Broadcast(*start));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Sums1<P, V, T> Load(T* from, nint channel, nint step) => new(P.Load(from, step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums1<P, V, T> PlusNumbers(T* w, nint channel, P x) => new(a.Plus(V.Broadcast(*w), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums1<P, V, T> PlusVectors(T* w, nint channel, P x) => new(a.Plus(V.Load(w), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums1<P, V, T> Positive() => new(a.Positive());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint channel, nint step) => a.Store(to, step);
}

/// <summary>Three channels.</summary>
readonly unsafe struct Sums3<P, V, T>(P a, P b, P c) : ISums<Sums3<P, V, T>, P, V, T>
    where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly P a = a, b = b, c = c;

    public static int Count => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Sums3<P, V, T> Broadcast(T* start) => new(P.Broadcast(start[0]), P.Broadcast(start[1]), P.Broadcast(start[2]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Sums3<P, V, T> Load(T* from, nint channel, nint step) =>
        new(P.Load(from, step), P.Load(from + channel, step), P.Load(from + 2 * channel, step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums3<P, V, T> PlusNumbers(T* w, nint channel, P x) =>
        new(a.Plus(V.Broadcast(w[0]), x), b.Plus(V.Broadcast(w[channel]), x), c.Plus(V.Broadcast(w[2 * channel]), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums3<P, V, T> PlusVectors(T* w, nint channel, P x) =>
        new(a.Plus(V.Load(w), x), b.Plus(V.Load(w + channel), x), c.Plus(V.Load(w + 2 * channel), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums3<P, V, T> Positive() => new(a.Positive(), b.Positive(), c.Positive());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint channel, nint step)
    {
        a.Store(to, step);
        b.Store(to + channel, step);
        c.Store(to + 2 * channel, step);
    }
}

/// <summary>Four channels.</summary>
readonly unsafe struct Sums4<P, V, T>(P a, P b, P c, P d) : ISums<Sums4<P, V, T>, P, V, T>
    where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly P a = a, b = b, c = c, d = d;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Sums4<P, V, T> Broadcast(T* start) =>
        new(P.Broadcast(start[0]), P.Broadcast(start[1]), P.Broadcast(start[2]), P.Broadcast(start[3]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Sums4<P, V, T> Load(T* from, nint channel, nint step) =>
        new(P.Load(from, step), P.Load(from + channel, step), P.Load(from + 2 * channel, step), P.Load(from + 3 * channel, step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums4<P, V, T> PlusNumbers(T* w, nint channel, P x) => new(
        a.Plus(V.Broadcast(w[0]), x), b.Plus(V.Broadcast(w[channel]), x), c.Plus(V.Broadcast(w[2 * channel]), x), d.Plus(V.Broadcast(w[3 * channel]), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums4<P, V, T> PlusVectors(T* w, nint channel, P x) => new(
        a.Plus(V.Load(w), x), b.Plus(V.Load(w + channel), x), c.Plus(V.Load(w + 2 * channel), x), d.Plus(V.Load(w + 3 * channel), x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sums4<P, V, T> Positive() => new(a.Positive(), b.Positive(), c.Positive(), d.Positive());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint channel, nint step)
    {
        a.Store(to, step);
        b.Store(to + channel, step);
        c.Store(to + 2 * channel, step);
        d.Store(to + 3 * channel, step);
    }
}

/// <summary>Twice the channels of S.</summary>
readonly unsafe struct SumsTwice<S, P, V, T>(S a, S b) : ISums<SumsTwice<S, P, V, T>, P, V, T>
    where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    readonly S a = a, b = b;

    public static int Count => 2 * S.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SumsTwice<S, P, V, T> Broadcast(T* start) => new(S.Broadcast(start), S.Broadcast(start + S.Count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SumsTwice<S, P, V, T> Load(T* from, nint channel, nint step) =>
        new(S.Load(from, channel, step), S.Load(from + S.Count * channel, channel, step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SumsTwice<S, P, V, T> PlusNumbers(T* w, nint channel, P x) => new(a.PlusNumbers(w, channel, x), b.PlusNumbers(w + S.Count * channel, channel, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SumsTwice<S, P, V, T> PlusVectors(T* w, nint channel, P x) => new(a.PlusVectors(w, channel, x), b.PlusVectors(w + S.Count * channel, channel, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SumsTwice<S, P, V, T> Positive() => new(a.Positive(), b.Positive());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint channel, nint step)
    {
        a.Store(to, channel, step);
        b.Store(to + S.Count * channel, channel, step);
    }
}
