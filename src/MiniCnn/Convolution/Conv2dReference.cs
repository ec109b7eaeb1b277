using System.Numerics;

namespace MiniCnn;

/// <summary>
/// The convolution as its formula says, forward and backward: the page to read first, and the witness that the fast forms are held against.
/// </summary>
/// <remarks>
/// <code>
/// y[n,oc,oy,ox] = b[oc] + Σ w[oc,ic,ky,kx] · x[n, g·IC/groups + ic, oy·stride + ky·dilation − top, ox·stride + kx·dilation − left]
///                         over ic, ky, kx;  g is the group of oc;  x outside the image is what the padding mode says
/// </code>
/// It is a sum of products w·x, each added to one y. The convolution is linear in x and in w, so the gradients are the same products
/// with the roles turned round: where the forward pass adds w·x to y, they add w·dy to dx and x·dy to dw.
/// (The field says convolution; the kernel is not flipped, so a mathematician says cross-correlation.)
/// All arrays are NCHW, row-major. T is float or double, or any other number.
/// </remarks>
public static class Conv2dReference
{
    /// <summary>y = x ⋆ w + b.</summary>
    /// <param name="shape">The geometry.</param>
    /// <param name="x">Input, [N, IC, H, W].</param>
    /// <param name="w">Weight, [OC, IC/groups, kH, kW].</param>
    /// <param name="b">Bias, [OC], or empty for none.</param>
    /// <param name="y">Output, [N, OC, OH, OW]; overwritten.</param>
    /// <exception cref="ArgumentException">A span whose length is not the geometry's.</exception>
    public static void Forward<T>(Conv2dShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> b, Span<T> y) where T : INumber<T>
    {
        Check("x", shape.InputLength, x.Length);
        Check("w", shape.WeightLength, w.Length);
        Check("b", b.IsEmpty ? 0 : shape.OutputChannels, b.Length);
        Check("y", shape.OutputLength, y.Length);
        int plane = shape.OutputHeight * shape.OutputWidth;
        for (int i = 0; i < y.Length; i++)
            y[i] = b.IsEmpty ? T.Zero : b[i / plane % shape.OutputChannels];
        ForEachProduct(shape, new AddToOutput<T>(x, w, y));
    }

    /// <summary>dx = ∂⟨y, dy⟩/∂x.</summary>
    /// <param name="shape">The geometry.</param>
    /// <param name="dy">Gradient of the output, [N, OC, OH, OW].</param>
    /// <param name="w">Weight, [OC, IC/groups, kH, kW].</param>
    /// <param name="dx">Gradient of the input, [N, IC, H, W]; overwritten.</param>
    /// <exception cref="ArgumentException">A span whose length is not the geometry's.</exception>
    public static void BackwardInput<T>(Conv2dShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> w, Span<T> dx) where T : INumber<T>
    {
        Check("dy", shape.OutputLength, dy.Length);
        Check("w", shape.WeightLength, w.Length);
        Check("dx", shape.InputLength, dx.Length);
        dx.Clear();
        ForEachProduct(shape, new AddToInput<T>(dx, w, dy));
    }

    /// <summary>dw += ∂⟨y, dy⟩/∂w.</summary>
    /// <param name="shape">The geometry.</param>
    /// <param name="x">Input, [N, IC, H, W].</param>
    /// <param name="dy">Gradient of the output, [N, OC, OH, OW].</param>
    /// <param name="dw">Gradient of the weight, [OC, IC/groups, kH, kW]; added to.</param>
    /// <exception cref="ArgumentException">A span whose length is not the geometry's.</exception>
    public static void BackwardWeight<T>(Conv2dShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dw) where T : INumber<T>
    {
        Check("x", shape.InputLength, x.Length);
        Check("dy", shape.OutputLength, dy.Length);
        Check("dw", shape.WeightLength, dw.Length);
        ForEachProduct(shape, new AddToWeight<T>(x, dw, dy));
    }

    /// <summary>db[oc] += Σ dy[n,oc,oy,ox] over n, oy, ox.</summary>
    /// <param name="shape">The geometry.</param>
    /// <param name="dy">Gradient of the output, [N, OC, OH, OW].</param>
    /// <param name="db">Gradient of the bias, [OC]; added to.</param>
    /// <exception cref="ArgumentException">A span whose length is not the geometry's.</exception>
    public static void BackwardBias<T>(Conv2dShape shape, ReadOnlySpan<T> dy, Span<T> db) where T : INumber<T>
    {
        Check("dy", shape.OutputLength, dy.Length);
        Check("db", shape.OutputChannels, db.Length);
        int plane = shape.OutputHeight * shape.OutputWidth;
        for (int i = 0; i < dy.Length; i++)
            db[i / plane % shape.OutputChannels] += dy[i];
    }

    /// <summary>The one loop nest: every product of the formula, given as the places of its x, its w and its y.</summary>
    static void ForEachProduct<P>(Conv2dShape s, P product) where P : IProduct, allows ref struct
    {
        for (int n = 0; n < s.Batch; n++)
            for (int oc = 0; oc < s.OutputChannels; oc++)
                for (int ic = 0; ic < s.GroupInputChannels; ic++)
                {
                    int xChannel = oc / s.GroupOutputChannels * s.GroupInputChannels + ic;
                    for (int oy = 0; oy < s.OutputHeight; oy++)
                        for (int ky = 0; ky < s.Rows.Kernel; ky++)
                        {
                            int iy = s.Rows.Source(oy, ky);
                            if (iy < 0)
                                continue;                                              // a row of zeros
                            int x = ((n * s.InputChannels + xChannel) * s.Rows.Input + iy) * s.Columns.Input;
                            int w = ((oc * s.GroupInputChannels + ic) * s.Rows.Kernel + ky) * s.Columns.Kernel;
                            int y = ((n * s.OutputChannels + oc) * s.OutputHeight + oy) * s.OutputWidth;
                            for (int ox = 0; ox < s.OutputWidth; ox++)
                                for (int kx = 0; kx < s.Columns.Kernel; kx++)
                                {
                                    int ix = s.Columns.Source(ox, kx);
                                    if (ix >= 0)
                                        product.Add(x + ix, w + kx, y + ox);
                                }
                        }
                }
    }

    interface IProduct
    {
        void Add(int x, int w, int y);
    }

    readonly ref struct AddToOutput<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, Span<T> y) : IProduct where T : INumber<T>
    {
        readonly ReadOnlySpan<T> x = x, w = w;
        readonly Span<T> y = y;

        public void Add(int ix, int iw, int iy) => y[iy] += w[iw] * x[ix];
    }

    readonly ref struct AddToInput<T>(Span<T> dx, ReadOnlySpan<T> w, ReadOnlySpan<T> dy) : IProduct where T : INumber<T>
    {
        readonly Span<T> dx = dx;
        readonly ReadOnlySpan<T> w = w, dy = dy;

        public void Add(int ix, int iw, int iy) => dx[ix] += w[iw] * dy[iy];
    }

    readonly ref struct AddToWeight<T>(ReadOnlySpan<T> x, Span<T> dw, ReadOnlySpan<T> dy) : IProduct where T : INumber<T>
    {
        readonly ReadOnlySpan<T> x = x, dy = dy;
        readonly Span<T> dw = dw;

        public void Add(int ix, int iw, int iy) => dw[iw] += x[ix] * dy[iy];
    }

    static void Check(string name, int expected, int length)
    {
        if (length != expected)
            throw new ArgumentException($"{name} must hold {expected} numbers for this convolution, not {length}");
    }
}
