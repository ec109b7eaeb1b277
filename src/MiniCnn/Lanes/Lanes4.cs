using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn;

/// <summary>4 floats: SSE, NEON.</summary>
readonly unsafe struct Lanes4(Vector128<float> value) : ILanes<Lanes4, float>
{
    readonly Vector128<float> value = value;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Load(float* from) => new(Vector128.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator +(Lanes4 a, Lanes4 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator -(Lanes4 a, Lanes4 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator *(Lanes4 a, Lanes4 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator /(Lanes4 a, Lanes4 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 MultiplyAdd(Lanes4 a, Lanes4 b, Lanes4 c) => new(Vector128.MultiplyAddEstimate(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Max(Lanes4 a, Lanes4 b) => new(Vector128.Max(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Positive(Lanes4 a) =>
        new(Vector128.ConditionalSelect(Vector128.LessThan(a.value, Vector128<float>.Zero), Vector128<float>.Zero, a.value));

    public static Lanes4 Exp(Lanes4 a) => new(Vector128.Exp(a.value));

    public static Lanes4 Log(Lanes4 a) => new(Vector128.Log(a.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Sqrt(Lanes4 a) => new(Vector128.Sqrt(a.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Greater(Lanes4 a, Lanes4 b) => new(Vector128.GreaterThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Equal(Lanes4 a, Lanes4 b) => new(Vector128.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 AtMost(uint* words, uint last) => new(Vector128.LessThanOrEqual(Vector128.Load(words), Vector128.Create(last)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Select(Lanes4 mask, Lanes4 a, Lanes4 b) => new(Vector128.ConditionalSelect(mask.value, a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes4 a)
    {
        Vector128<float> halves = a.value + Vector128.Shuffle(a.value, Vector128.Create(2, 3, 0, 1));
        return halves[0] + halves[1];
    }
}
