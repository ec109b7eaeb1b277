using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn;

/// <summary>One lane: a single float or double.</summary>
unsafe struct Scalar<T>(T value) : ILanes<Scalar<T>, T> where T : unmanaged, IFloatingPointIeee754<T>
{
    T value = value;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Load(T* from) => new(*from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Load(T* from, nint step) => new(*from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to) => *to = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Broadcast(T value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> operator +(Scalar<T> a, Scalar<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> operator -(Scalar<T> a, Scalar<T> b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> operator *(Scalar<T> a, Scalar<T> b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> operator /(Scalar<T> a, Scalar<T> b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> MultiplyAdd(Scalar<T> a, Scalar<T> b, Scalar<T> c) => new(T.MultiplyAddEstimate(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Scalar<T> a, Scalar<T> b) => value = T.MultiplyAddEstimate(a.value, b.value, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Scalar<T> a, T* b) => value = T.MultiplyAddEstimate(a.value, *b, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Max(Scalar<T> a, Scalar<T> b) => new(T.Max(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Positive(Scalar<T> a) => a.value < T.Zero ? new(T.Zero) : a;

    // Bit-identical to the vectors of every width, so that a single image or the last element of a row gives the same result as all others.
    public static Scalar<T> Exp(Scalar<T> a) => new(typeof(T) == typeof(float)
        ? Vector128.Exp(Vector128.CreateScalar(a.value).AsSingle()).As<float, T>().ToScalar() : T.Exp(a.value));

    public static Scalar<T> Log(Scalar<T> a) => new(typeof(T) == typeof(float)
        ? Vector128.Log(Vector128.CreateScalar(a.value).AsSingle()).As<float, T>().ToScalar() : T.Log(a.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Sqrt(Scalar<T> a) => new(T.Sqrt(a.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Greater(Scalar<T> a, Scalar<T> b) => new(a.value > b.value ? T.One : T.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Equal(Scalar<T> a, Scalar<T> b) => new(a.value == b.value ? T.One : T.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> AtMost(uint* words, uint last) => new(*words <= last ? T.One : T.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar<T> Select(Scalar<T> mask, Scalar<T> a, Scalar<T> b) => mask.value != T.Zero ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Scalar<T> First, Scalar<T> Second) Zip(Scalar<T> a, Scalar<T> b) => (a, b);

    public static T Sum(Scalar<T> a) => a.value;
}
