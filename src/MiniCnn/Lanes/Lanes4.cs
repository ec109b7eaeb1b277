using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn;

/// <summary>4 floats: SSE, NEON. T is always float. It is a type parameter so that kernels over any T can name this type.</summary>
unsafe struct Lanes4<T>(Vector128<T> value) : ILanes<Lanes4<T>, T> where T : unmanaged
{
    Vector128<T> value = value;

    public static int Count => 4;

    /// <summary>The hardware vector, for <see cref="Lanes8{T}"/>, which consists of two of these.</summary>
    public Vector128<T> Value => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Load(T* from) => new(Vector128.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Load(T* from, nint step) => step switch
    {
        1 => Load(from),
        2 => new(Transpose.Alternate(Vector128.Load((float*)from), Vector128.Load((float*)from + 3)).As<float, T>()),
        _ => new(Vector128.Create(((float*)from)[0], ((float*)from)[step], ((float*)from)[2 * step], ((float*)from)[3 * step]).As<float, T>()),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Broadcast(T value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> operator +(Lanes4<T> a, Lanes4<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> operator -(Lanes4<T> a, Lanes4<T> b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> operator *(Lanes4<T> a, Lanes4<T> b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> operator /(Lanes4<T> a, Lanes4<T> b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> MultiplyAdd(Lanes4<T> a, Lanes4<T> b, Lanes4<T> c)
    {
        c.AddProduct(a, b);
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes4<T> a, Lanes4<T> b) =>
        value = Vector128.MultiplyAddEstimate(a.value.AsSingle(), b.value.AsSingle(), value.AsSingle()).As<float, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes4<T> a, T* b) =>
        value = Vector128.MultiplyAddEstimate(a.value.AsSingle(), Vector128.Load((float*)b), value.AsSingle()).As<float, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Max(Lanes4<T> a, Lanes4<T> b) => new(Vector128.Max(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Positive(Lanes4<T> a) =>
        new(Vector128.ConditionalSelect(Vector128.LessThan(a.value, Vector128<T>.Zero), Vector128<T>.Zero, a.value));

    public static Lanes4<T> Exp(Lanes4<T> a) => new(Vector128.Exp(a.value.AsSingle()).As<float, T>());

    public static Lanes4<T> Log(Lanes4<T> a) => new(Vector128.Log(a.value.AsSingle()).As<float, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Sqrt(Lanes4<T> a) => new(Vector128.Sqrt(a.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Greater(Lanes4<T> a, Lanes4<T> b) => new(Vector128.GreaterThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Equal(Lanes4<T> a, Lanes4<T> b) => new(Vector128.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> AtMost(uint* words, uint last) =>
        new(Vector128.LessThanOrEqual(Vector128.Load(words), Vector128.Create(last)).As<uint, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4<T> Select(Lanes4<T> mask, Lanes4<T> a, Lanes4<T> b) => new(Vector128.ConditionalSelect(mask.value, a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Lanes4<T> First, Lanes4<T> Second) Zip(Lanes4<T> a, Lanes4<T> b) => (
        new(Transpose.ZipLow(a.value.AsSingle(), b.value.AsSingle()).As<float, T>()),
        new(Transpose.ZipHigh(a.value.AsSingle(), b.value.AsSingle()).As<float, T>()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Lanes4<T> a)
    {
        Vector128<float> value = a.value.AsSingle(), halves = value + Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1));
        return Unsafe.BitCast<float, T>(halves[0] + halves[1]);
    }
}
