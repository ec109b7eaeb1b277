using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn;

/// <summary>16 floats: AVX-512. T is float always, see <see cref="Lanes4{T}"/>.</summary>
readonly unsafe struct Lanes16<T>(Vector512<T> value) : ILanes<Lanes16<T>, T> where T : unmanaged
{
    readonly Vector512<T> value = value;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Load(T* from) => new(Vector512.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Broadcast(T value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> operator +(Lanes16<T> a, Lanes16<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> operator -(Lanes16<T> a, Lanes16<T> b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> operator *(Lanes16<T> a, Lanes16<T> b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> operator /(Lanes16<T> a, Lanes16<T> b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> MultiplyAdd(Lanes16<T> a, Lanes16<T> b, Lanes16<T> c) =>
        new(Vector512.MultiplyAddEstimate(a.value.AsSingle(), b.value.AsSingle(), c.value.AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Max(Lanes16<T> a, Lanes16<T> b) => new(Vector512.Max(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Positive(Lanes16<T> a) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a.value, Vector512<T>.Zero), Vector512<T>.Zero, a.value));

    public static Lanes16<T> Exp(Lanes16<T> a) => new(Vector512.Exp(a.value.AsSingle()).As<float, T>());

    public static Lanes16<T> Log(Lanes16<T> a) => new(Vector512.Log(a.value.AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Sqrt(Lanes16<T> a) => new(Vector512.Sqrt(a.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Greater(Lanes16<T> a, Lanes16<T> b) => new(Vector512.GreaterThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Equal(Lanes16<T> a, Lanes16<T> b) => new(Vector512.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> AtMost(uint* words, uint last) =>
        new(Vector512.LessThanOrEqual(Vector512.Load(words), Vector512.Create(last)).As<uint, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Select(Lanes16<T> mask, Lanes16<T> a, Lanes16<T> b) => new(Vector512.ConditionalSelect(mask.value, a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Lanes16<T> a) => Lanes8<T>.Sum(new(a.value.GetLower() + a.value.GetUpper()));
}
