using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn;

/// <summary>16 floats: AVX-512. T is always float, see <see cref="Lanes4{T}"/>.</summary>
unsafe struct Lanes16<T>(Vector512<T> value) : ILanes<Lanes16<T>, T> where T : unmanaged
{
    Vector512<T> value = value;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Load(T* from) => new(Vector512.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16<T> Load(T* from, nint step) =>
        step == 1 ? Load(from) : Of(Lanes8<T>.Load(from, step), Lanes8<T>.Load(from + 8 * step, step));

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
    public static Lanes16<T> MultiplyAdd(Lanes16<T> a, Lanes16<T> b, Lanes16<T> c)
    {
        c.AddProduct(a, b);
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes16<T> a, Lanes16<T> b) =>
        value = Vector512.MultiplyAddEstimate(a.value.AsSingle(), b.value.AsSingle(), value.AsSingle()).As<float, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes16<T> a, T* b) =>
        value = Vector512.MultiplyAddEstimate(a.value.AsSingle(), Vector512.Load((float*)b), value.AsSingle()).As<float, T>();

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
    public static (Lanes16<T> First, Lanes16<T> Second) Zip(Lanes16<T> a, Lanes16<T> b)
    {
        (Lanes8<T> first, Lanes8<T> second) = Lanes8<T>.Zip(new(a.value.GetLower()), new(b.value.GetLower()));
        (Lanes8<T> third, Lanes8<T> fourth) = Lanes8<T>.Zip(new(a.value.GetUpper()), new(b.value.GetUpper()));
        return (Of(first, second), Of(third, fourth));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Lanes16<T> Of(Lanes8<T> lower, Lanes8<T> upper) => new(Vector512.Create(lower.Value, upper.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Lanes16<T> a) => Lanes8<T>.Sum(new(a.value.GetLower() + a.value.GetUpper()));
}
