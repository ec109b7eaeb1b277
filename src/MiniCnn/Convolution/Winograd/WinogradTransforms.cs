using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The transforms of Winograd's F(4×4, 3×3), which computes 4×4 outputs of a 3×3 convolution with 36 multiplications instead of 144.
/// </summary>
/// <remarks>
/// <para>
/// Along one axis, three weights g and six inputs d give four outputs y, y[i] = Σ d[i + k] · g[k]. This is the transpose of a product of polynomials.
/// The product of the polynomial g, of degree 2, and a polynomial of degree 3 has six coefficients. They follow from its values at the points 0, 1, −1,
/// 2, −2 and from its highest coefficient, called its value at ∞. At each of these six points, the values of the factors are multiplied, which takes one
/// multiplication:
/// </para>
/// <code>
/// y = Aᵀ [(G g) ∘ (Bᵀ d)]
///
///      ⎡ 1/4     0     0  ⎤        ⎡ 4   0  −5   0   1   0 ⎤        ⎡ 1   1   1   1   1   0 ⎤      point 0
///      ⎢−1/6  −1/6  −1/6  ⎥        ⎢ 0  −4  −4   1   1   0 ⎥   Aᵀ = ⎢ 0   1  −1   2  −2   0 ⎥      1
///  G = ⎢−1/6   1/6  −1/6  ⎥   Bᵀ = ⎢ 0   4  −4  −1   1   0 ⎥        ⎢ 0   1   1   4   4   0 ⎥      −1
///      ⎢ 1/24  1/12  1/6  ⎥        ⎢ 0  −2  −1   2   1   0 ⎥        ⎣ 0   1  −1   8  −8   1 ⎦      2
///      ⎢ 1/24 −1/12  1/6  ⎥        ⎢ 0   2  −1  −2   1   0 ⎥                                       −2
///      ⎣ 0       0     1  ⎦        ⎣ 0   4   0  −5   0   1 ⎦                                       ∞
/// </code>
/// <para>
/// A row of G gives the value of g at the point p: 1, p, p², divided by the product of (p − q) over the other finite points q. A column of Aᵀ holds the
/// powers 1, p, p², p³ of the point. A row of Bᵀ holds the coefficients of the product of (x − q) over the other finite points q; this polynomial is 0 at
/// these points. In exact arithmetic, both sides are equal: Aᵀ Diag(G g) Bᵀ is the 4×6 matrix with g along its diagonals. In floating point, each
/// transform rounds.
/// </para>
/// <para>
/// In two dimensions, each matrix is applied to the columns and then to the rows: Y = Aᵀ [(G w Gᵀ) ∘ (Bᵀ x B)] A. The sum over the input channels is
/// computed between the transforms. Source: Lavin and Gray, https://arxiv.org/abs/1509.09308.
/// </para>
/// </remarks>
[SkipLocalsInit]                                  // the intermediate result is written before it is read
static unsafe class WinogradTransforms
{
    /// <summary>Along one axis: outputs of a tile, and inputs that they read. Places: elements of a transformed tile, one product for each.</summary>
    public const int Outputs = 4, Inputs = 6, Places = Inputs * Inputs;

    // Stack memory is not aligned to cache lines. Vectors of 64 bytes that cross cache lines made a whole pass up to twice as slow.
    const int Line = 16;

    /// <summary>Bᵀ x B: transforms 6×6 pixels to 36 places. row, column and place are distances in elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Input<T, V>(T* x, nint row, nint column, T* to, nint place) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        T* memory = stackalloc T[Places * V.Count + Line], half = Scratch<T>.Align(memory);
        for (int i = 0; i < Inputs; i++)
            ApplyB<T, V>(x + i * column, row, half + i * V.Count, Inputs * V.Count);
        for (int i = 0; i < Inputs; i++)
            ApplyB<T, V>(half + i * Inputs * V.Count, V.Count, to + i * Inputs * place, place);
    }

    /// <summary>Aᵀ m A + bias: transforms 36 places to 4×4 pixels, and applies ReLU if relu is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Output<T, V>(T* m, nint place, V bias, bool relu, T* to, nint row, nint column)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        T* memory = stackalloc T[Outputs * Inputs * V.Count + Line], half = Scratch<T>.Align(memory);
        V zero = V.Broadcast(T.Zero);
        for (int i = 0; i < Inputs; i++)
            ApplyA<T, V>(m + i * place, Inputs * place, half + i * V.Count, Inputs * V.Count, zero, relu: false);
        for (int i = 0; i < Outputs; i++)
            ApplyA<T, V>(half + i * Inputs * V.Count, V.Count, to + i * row, column, bias, relu);
    }

    /// <summary>G w Gᵀ: transforms 3×3 weights, next elements apart, to 36 places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Weights<T, V>(T* w, nint next, T* to, nint place) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        T* memory = stackalloc T[Inputs * 3 * V.Count + Line], half = Scratch<T>.Align(memory);
        V one = V.Broadcast(T.One), scale = V.Broadcast(T.One / T.CreateTruncating(24 * 24));
        for (int i = 0; i < 3; i++)
            ApplyG<T, V>(w + i * next, 3 * next, half + i * V.Count, 3 * V.Count, one);
        for (int i = 0; i < Inputs; i++)
            ApplyG<T, V>(half + i * 3 * V.Count, V.Count, to + i * Inputs * place, place, scale);
    }

    /// <summary>A dy Aᵀ: transforms 4×4 pixels to 36 places. row, column and place are distances in elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Gradient<T, V>(T* dy, nint row, nint column, T* to, nint place)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        T* memory = stackalloc T[Inputs * Outputs * V.Count + Line], half = Scratch<T>.Align(memory);
        for (int i = 0; i < Outputs; i++)
            ApplyTransposedA<T, V>(dy + i * column, row, half + i * V.Count, Outputs * V.Count);
        for (int i = 0; i < Inputs; i++)
            ApplyTransposedA<T, V>(half + i * Outputs * V.Count, V.Count, to + i * Inputs * place, place);
    }

    /// <summary>Gᵀ s G: transforms 36 places to 3×3 weights, next elements apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void WeightGradient<T, V>(T* s, nint place, T* to, nint next) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        T* memory = stackalloc T[3 * Inputs * V.Count + Line], half = Scratch<T>.Align(memory);
        V divisor = V.Broadcast(T.CreateTruncating(24 * 24));
        for (int i = 0; i < Inputs; i++)
            ApplyTransposedG<T, V>(s + i * place, Inputs * place, half + i * V.Count, Inputs * V.Count, V.Broadcast(T.One));
        for (int i = 0; i < 3; i++)
            ApplyTransposedG<T, V>(half + i * Inputs * V.Count, V.Count, to + i * 3 * next, next, divisor);
    }

    /// <summary>Bᵀ d.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ApplyB<T, V>(T* from, nint step, T* to, nint toStep) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V d0 = V.Load(from), d1 = V.Load(from + step), d2 = V.Load(from + 2 * step);
        V d3 = V.Load(from + 3 * step), d4 = V.Load(from + 4 * step), d5 = V.Load(from + 5 * step);
        V four = V.Broadcast(T.CreateTruncating(4)), minusFour = V.Broadcast(T.CreateTruncating(-4)), minusFive = V.Broadcast(T.CreateTruncating(-5));
        V even = V.MultiplyAdd(minusFour, d2, d4), odd = V.MultiplyAdd(minusFour, d1, d3);           // for the points 1 and −1
        V evenOf2 = d4 - d2, oddOf2 = d3 - d1;                                                       // for 2 and −2
        oddOf2 += oddOf2;
        V.MultiplyAdd(four, d0, V.MultiplyAdd(minusFive, d2, d4)).Store(to);
        (even + odd).Store(to + toStep);
        (even - odd).Store(to + 2 * toStep);
        (evenOf2 + oddOf2).Store(to + 3 * toStep);
        (evenOf2 - oddOf2).Store(to + 4 * toStep);
        V.MultiplyAdd(four, d1, V.MultiplyAdd(minusFive, d3, d5)).Store(to + 5 * toStep);
    }

    /// <summary>Aᵀ m + start.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ApplyA<T, V>(T* from, nint step, T* to, nint toStep, V start, bool relu)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V m1 = V.Load(from + step), m2 = V.Load(from + 2 * step), m3 = V.Load(from + 3 * step), m4 = V.Load(from + 4 * step);
        V even = m1 + m2 + start, odd = m1 - m2 + start, evenOf2 = m3 + m4, oddOf2 = m3 - m4;
        V y0 = V.Load(from) + even + evenOf2;
        V y1 = V.MultiplyAdd(V.Broadcast(T.CreateTruncating(2)), oddOf2, odd);
        V y2 = V.MultiplyAdd(V.Broadcast(T.CreateTruncating(4)), evenOf2, even);
        V y3 = V.MultiplyAdd(V.Broadcast(T.CreateTruncating(8)), oddOf2, odd) + V.Load(from + 5 * step);
        if (relu)
            (y0, y1, y2, y3) = (V.Positive(y0), V.Positive(y1), V.Positive(y2), V.Positive(y3));
        y0.Store(to);
        y1.Store(to + toStep);
        y2.Store(to + 2 * toStep);
        y3.Store(to + 3 * toStep);
    }

    /// <summary>24 · G g · scale: all coefficients are integers before the scaling.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ApplyG<T, V>(T* from, nint step, T* to, nint toStep, V scale) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V g0 = V.Load(from), g1 = V.Load(from + step), g2 = V.Load(from + 2 * step), minusFour = V.Broadcast(T.CreateTruncating(-4)) * scale;
        V even = g0 + g2, evenOf2 = V.MultiplyAdd(V.Broadcast(T.CreateTruncating(4)), g2, g0), oddOf2 = g1 + g1;
        (V.Broadcast(T.CreateTruncating(6)) * scale * g0).Store(to);
        (minusFour * (even + g1)).Store(to + toStep);
        (minusFour * (even - g1)).Store(to + 2 * toStep);
        (scale * (evenOf2 + oddOf2)).Store(to + 3 * toStep);
        (scale * (evenOf2 - oddOf2)).Store(to + 4 * toStep);
        (V.Broadcast(T.CreateTruncating(24)) * scale * g2).Store(to + 5 * toStep);
    }

    /// <summary>A e.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ApplyTransposedA<T, V>(T* from, nint step, T* to, nint toStep) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V e0 = V.Load(from), e1 = V.Load(from + step), e2 = V.Load(from + 2 * step), e3 = V.Load(from + 3 * step), four = V.Broadcast(T.CreateTruncating(4));
        V even = e0 + e2, odd = e1 + e3, evenOf2 = V.MultiplyAdd(four, e2, e0), oddOf2 = V.MultiplyAdd(four, e3, e1);
        oddOf2 += oddOf2;
        e0.Store(to);
        (even + odd).Store(to + toStep);
        (even - odd).Store(to + 2 * toStep);
        (evenOf2 + oddOf2).Store(to + 3 * toStep);
        (evenOf2 - oddOf2).Store(to + 4 * toStep);
        e3.Store(to + 5 * toStep);
    }

    /// <summary>24 · Gᵀ s / divisor: all coefficients are integers before the division.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ApplyTransposedG<T, V>(T* from, nint step, T* to, nint toStep, V divisor)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V s1 = V.Load(from + step), s2 = V.Load(from + 2 * step), s3 = V.Load(from + 3 * step), s4 = V.Load(from + 4 * step);
        V four = V.Broadcast(T.CreateTruncating(4)), minusFour = V.Broadcast(T.CreateTruncating(-4));
        V even = s1 + s2, odd = s1 - s2, evenOf2 = s3 + s4, oddOf2 = s3 - s4;
        (V.MultiplyAdd(V.Broadcast(T.CreateTruncating(6)), V.Load(from), V.MultiplyAdd(minusFour, even, evenOf2)) / divisor).Store(to);
        (V.MultiplyAdd(minusFour, odd, oddOf2 + oddOf2) / divisor).Store(to + toStep);
        (V.MultiplyAdd(V.Broadcast(T.CreateTruncating(24)), V.Load(from + 5 * step), four * (evenOf2 - even)) / divisor).Store(to + 2 * toStep);
    }
}
