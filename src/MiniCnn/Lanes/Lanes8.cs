using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn;

/// <summary>8 floats: AVX, AVX2. T is always float, see <see cref="Lanes4{T}"/>.</summary>
unsafe struct Lanes8<T>(Vector256<T> value) : ILanes<Lanes8<T>, T> where T : unmanaged
{
    Vector256<T> value = value;

    public static int Count => 8;

    /// <summary>The hardware vector, for <see cref="Lanes16{T}"/>, which consists of two of these.</summary>
    public Vector256<T> Value => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Load(T* from) => new(Vector256.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Load(T* from, nint step) =>
        step == 1 ? Load(from) : Of(Lanes4<T>.Load(from, step), Lanes4<T>.Load(from + 4 * step, step));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Broadcast(T value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> operator +(Lanes8<T> a, Lanes8<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> operator -(Lanes8<T> a, Lanes8<T> b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> operator *(Lanes8<T> a, Lanes8<T> b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> operator /(Lanes8<T> a, Lanes8<T> b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> MultiplyAdd(Lanes8<T> a, Lanes8<T> b, Lanes8<T> c)
    {
        c.AddProduct(a, b);
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes8<T> a, Lanes8<T> b) =>
        value = Vector256.MultiplyAddEstimate(a.value.AsSingle(), b.value.AsSingle(), value.AsSingle()).As<float, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes8<T> a, T* b) =>
        value = Vector256.MultiplyAddEstimate(a.value.AsSingle(), Vector256.Load((float*)b), value.AsSingle()).As<float, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Max(Lanes8<T> a, Lanes8<T> b) => new(Vector256.Max(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Positive(Lanes8<T> a) =>
        new(Vector256.ConditionalSelect(Vector256.LessThan(a.value, Vector256<T>.Zero), Vector256<T>.Zero, a.value));

    public static Lanes8<T> Exp(Lanes8<T> a) => new(Vector256.Exp(a.value.AsSingle()).As<float, T>());

    public static Lanes8<T> Log(Lanes8<T> a) => new(Vector256.Log(a.value.AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Sqrt(Lanes8<T> a) => new(Vector256.Sqrt(a.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Greater(Lanes8<T> a, Lanes8<T> b) => new(Vector256.GreaterThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Equal(Lanes8<T> a, Lanes8<T> b) => new(Vector256.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> AtMost(uint* words, uint last) =>
        new(Vector256.LessThanOrEqual(Vector256.Load(words), Vector256.Create(last)).As<uint, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8<T> Select(Lanes8<T> mask, Lanes8<T> a, Lanes8<T> b) => new(Vector256.ConditionalSelect(mask.value, a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Lanes8<T> First, Lanes8<T> Second) Zip(Lanes8<T> a, Lanes8<T> b)
    {
        (Lanes4<T> first, Lanes4<T> second) = Lanes4<T>.Zip(new(a.value.GetLower()), new(b.value.GetLower()));
        (Lanes4<T> third, Lanes4<T> fourth) = Lanes4<T>.Zip(new(a.value.GetUpper()), new(b.value.GetUpper()));
        return (Of(first, second), Of(third, fourth));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Lanes8<T> Of(Lanes4<T> lower, Lanes4<T> upper) => new(Vector256.Create(lower.Value, upper.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Lanes8<T> a) => Lanes4<T>.Sum(new(a.value.GetLower() + a.value.GetUpper()));
}
