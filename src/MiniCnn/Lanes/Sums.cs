using System.Runtime.CompilerServices;

namespace MiniCnn;

#pragma warning disable IDE0044, CS0649 // fields that are set through their own methods

/// <summary>
/// A tile of sums, some channels × some vectors, kept in registers from the first product to the last.
/// </summary>
/// <remarks>
/// Eight sums hide the latency of multiply-adds: two start in each cycle, and each takes four cycles. Twelve sums and their operands fit 16 registers,
/// twenty-four fit 32. A tile with more channels loads its pixels less often. If vectors hold channels, the roles are exchanged: the channels of a tile
/// are pixels of an image.
/// </remarks>
unsafe interface ISums<S, P, V, T>
    where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Number of channels.</summary>
    static abstract int Count { get; }

    /// <summary>Channel c = start[c].</summary>
    void Start(T* start);

    /// <summary>Channel c = the vectors at from + c · channel, step elements apart.</summary>
    void Load(T* from, nint channel, nint step);

    /// <summary>Channel c += the factor at w + first + c · channel, times x. A constant first becomes part of the address.</summary>
    void Add<F>(T* w, nint first, nint channel, in P x) where F : struct, IFactor<V, T>;

    /// <summary>
    /// The same with the vectors in memory at x, see <see cref="IPixels{P, V, T}.Add(V, T*, nint, nint)"/>. far is used only by tiles of one channel, because
    /// only these are nine vectors wide.
    /// </summary>
    void Add<F>(T* w, nint first, nint channel, T* x, nint step, nint far) where F : struct, IFactor<V, T>;

    /// <summary>ReLU: numbers below 0 become 0.</summary>
    void Clip();

    void Store(T* to, nint channel, nint step);
}

/// <summary>The factor that the vectors of a channel are multiplied by.</summary>
unsafe interface IFactor<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    static abstract V At(T* w);
}

/// <summary>The same number for all lanes.</summary>
readonly unsafe struct OneForAll<V, T> : IFactor<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V At(T* w) => V.Broadcast(*w);
}

/// <summary>A different number for each lane.</summary>
readonly unsafe struct OnePerLane<V, T> : IFactor<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V At(T* w) => V.Load(w);
}

/// <summary>One channel.</summary>
unsafe struct Sums1<P, V, T> : ISums<Sums1<P, V, T>, P, V, T>
    where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    P a;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Start(T* start) => a.Fill(*start);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint channel, nint step) => a.Load(from, step);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<F>(T* w, nint first, nint channel, in P x) where F : struct, IFactor<V, T> => a.Add(F.At(w + first), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<F>(T* w, nint first, nint channel, T* x, nint step, nint far) where F : struct, IFactor<V, T> => a.Add(F.At(w + first), x, step, far);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip() => a.Clip();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint channel, nint step) => a.Store(to, step);
}

/// <summary>Three channels.</summary>
unsafe struct Sums3<P, V, T> : ISums<Sums3<P, V, T>, P, V, T>
    where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    P a, b, c;

    public static int Count => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Start(T* start)
    {
        a.Fill(start[0]);
        b.Fill(start[1]);
        c.Fill(start[2]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint channel, nint step)
    {
        a.Load(from, step);
        b.Load(from + channel, step);
        c.Load(from + 2 * channel, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<F>(T* w, nint first, nint channel, in P x) where F : struct, IFactor<V, T>
    {
        a.Add(F.At(w + first), x);
        b.Add(F.At(w + (first + channel)), x);
        c.Add(F.At(w + (first + 2 * channel)), x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<F>(T* w, nint first, nint channel, T* x, nint step, nint far) where F : struct, IFactor<V, T>
    {
        P p = default;
        p.Load(x, step);
        Add<F>(w, first, channel, p);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip()
    {
        a.Clip();
        b.Clip();
        c.Clip();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint channel, nint step)
    {
        a.Store(to, step);
        b.Store(to + channel, step);
        c.Store(to + 2 * channel, step);
    }
}

/// <summary>Four channels.</summary>
unsafe struct Sums4<P, V, T> : ISums<Sums4<P, V, T>, P, V, T>
    where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    P a, b, c, d;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Start(T* start)
    {
        a.Fill(start[0]);
        b.Fill(start[1]);
        c.Fill(start[2]);
        d.Fill(start[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint channel, nint step)
    {
        a.Load(from, step);
        b.Load(from + channel, step);
        c.Load(from + 2 * channel, step);
        d.Load(from + 3 * channel, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<F>(T* w, nint first, nint channel, in P x) where F : struct, IFactor<V, T>
    {
        a.Add(F.At(w + first), x);
        b.Add(F.At(w + (first + channel)), x);
        c.Add(F.At(w + (first + 2 * channel)), x);
        d.Add(F.At(w + (first + 3 * channel)), x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<F>(T* w, nint first, nint channel, T* x, nint step, nint far) where F : struct, IFactor<V, T>
    {
        P p = default;
        p.Load(x, step);
        Add<F>(w, first, channel, p);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip()
    {
        a.Clip();
        b.Clip();
        c.Clip();
        d.Clip();
    }

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
unsafe struct SumsTwice<S, P, V, T> : ISums<SumsTwice<S, P, V, T>, P, V, T>
    where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    S a, b;

    public static int Count => 2 * S.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Start(T* start)
    {
        a.Start(start);
        b.Start(start + S.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint channel, nint step)
    {
        a.Load(from, channel, step);
        b.Load(from + S.Count * channel, channel, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<F>(T* w, nint first, nint channel, in P x) where F : struct, IFactor<V, T>
    {
        a.Add<F>(w, first, channel, x);
        b.Add<F>(w, first + S.Count * channel, channel, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<F>(T* w, nint first, nint channel, T* x, nint step, nint far) where F : struct, IFactor<V, T>
    {
        P p = default;
        p.Load(x, step);
        Add<F>(w, first, channel, p);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip()
    {
        a.Clip();
        b.Clip();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint channel, nint step)
    {
        a.Store(to, channel, step);
        b.Store(to + S.Count * channel, channel, step);
    }
}
