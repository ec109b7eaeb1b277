using System.Runtime.CompilerServices;

namespace MiniCnn;

// The structs are loaded and changed in place, field by field, so that the JIT keeps each sum in one register. Creating new structs costs a move for each.
#pragma warning disable IDE0044, CS0649 // fields that are set through their own methods

/// <summary>A few vectors, kept in registers: neighboring pixels of a row, or the pixels that a few taps read.</summary>
unsafe interface IPixels<P, V, T> where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Number of vectors in one P.</summary>
    static abstract int Count { get; }

    /// <summary>this = value, in all lanes of all vectors.</summary>
    void Fill(T value);

    /// <summary>this = the vectors at from, from + step, …</summary>
    void Load(T* from, nint step);

    /// <summary>this += weight · x.</summary>
    void Add(V weight, in P x);

    /// <summary>this += weight · the vectors at from, from + step, … Nine vectors are three groups of three, far elements apart.</summary>
    void Add(V weight, T* from, nint step, nint far);

    /// <summary>ReLU: numbers below 0 become 0.</summary>
    void Clip();

    void Store(T* to, nint step);
}

/// <summary>One vector.</summary>
unsafe struct Pixels1<V, T> : IPixels<Pixels1<V, T>, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    V a;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill(T value) => a = V.Broadcast(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint step) => a = V.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, in Pixels1<V, T> x) => a.AddProduct(weight, x.a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, T* from, nint step, nint far) => a.AddProduct(weight, from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip() => a = V.Positive(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step) => a.Store(to);
}

/// <summary>Two vectors.</summary>
unsafe struct Pixels2<V, T> : IPixels<Pixels2<V, T>, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    V a, b;

    public static int Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill(T value) => a = b = V.Broadcast(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint step)
    {
        a = V.Load(from);
        b = V.Load(from + step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, in Pixels2<V, T> x)
    {
        a.AddProduct(weight, x.a);
        b.AddProduct(weight, x.b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, T* from, nint step, nint far)
    {
        a.AddProduct(weight, from);
        b.AddProduct(weight, from + step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip()
    {
        a = V.Positive(a);
        b = V.Positive(b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to);
        b.Store(to + step);
    }
}

/// <summary>Three vectors.</summary>
unsafe struct Pixels3<V, T> : IPixels<Pixels3<V, T>, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    V a, b, c;

    public static int Count => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill(T value) => a = b = c = V.Broadcast(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint step)
    {
        a = V.Load(from);
        b = V.Load(from + step);
        c = V.Load(from + 2 * step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, in Pixels3<V, T> x)
    {
        a.AddProduct(weight, x.a);
        b.AddProduct(weight, x.b);
        c.AddProduct(weight, x.c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, T* from, nint step, nint far)
    {
        a.AddProduct(weight, from);
        b.AddProduct(weight, from + step);
        c.AddProduct(weight, from + 2 * step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip()
    {
        a = V.Positive(a);
        b = V.Positive(b);
        c = V.Positive(c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to);
        b.Store(to + step);
        c.Store(to + 2 * step);
    }
}

/// <summary>Four vectors.</summary>
unsafe struct Pixels4<V, T> : IPixels<Pixels4<V, T>, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    V a, b, c, d;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill(T value) => a = b = c = d = V.Broadcast(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint step)
    {
        a = V.Load(from);
        b = V.Load(from + step);
        c = V.Load(from + 2 * step);
        d = V.Load(from + 3 * step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, in Pixels4<V, T> x)
    {
        a.AddProduct(weight, x.a);
        b.AddProduct(weight, x.b);
        c.AddProduct(weight, x.c);
        d.AddProduct(weight, x.d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, T* from, nint step, nint far)
    {
        a.AddProduct(weight, from);
        b.AddProduct(weight, from + step);
        c.AddProduct(weight, from + 2 * step);
        d.AddProduct(weight, from + 3 * step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip()
    {
        a = V.Positive(a);
        b = V.Positive(b);
        c = V.Positive(c);
        d = V.Positive(d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to);
        b.Store(to + step);
        c.Store(to + 2 * step);
        d.Store(to + 3 * step);
    }
}

/// <summary>Three times the vectors of Q. Nine vectors hide the latency of a multiply-add even with a single channel.</summary>
unsafe struct PixelsThrice<Q, V, T> : IPixels<PixelsThrice<Q, V, T>, V, T>
    where Q : struct, IPixels<Q, V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    Q a, b, c;

    public static int Count => 3 * Q.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill(T value)
    {
        a.Fill(value);
        b.Fill(value);
        c.Fill(value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(T* from, nint step)
    {
        a.Load(from, step);
        b.Load(from + Q.Count * step, step);
        c.Load(from + 2 * Q.Count * step, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, in PixelsThrice<Q, V, T> x)
    {
        a.Add(weight, x.a);
        b.Add(weight, x.b);
        c.Add(weight, x.c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(V weight, T* from, nint step, nint far)
    {
        a.Add(weight, from, step, 0);
        b.Add(weight, from + far, step, 0);
        c.Add(weight, from + 2 * far, step, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clip()
    {
        a.Clip();
        b.Clip();
        c.Clip();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to, nint step)
    {
        a.Store(to, step);
        b.Store(to + Q.Count * step, step);
        c.Store(to + 2 * Q.Count * step, step);
    }
}
