using System.Numerics;

namespace MiniCnn;

/// <summary>
/// The 2-D convolution and its gradients, computed directly from the formula. Read this file first. The optimized kernels are tested against it.
/// </summary>
/// <remarks>
/// <code>
/// y[n,oc,oy,ox] = b[oc] + Σ w[oc,ic,ky,kx] · x[n, g·IC/groups + ic, oy·stride + ky·dilation − top, ox·stride + kx·dilation − left]
/// </code>
/// <para>
/// The sum runs over ic, ky and kx: the input channels of a group, and the rows and columns of the kernel. g = ⌊oc / (OC/groups)⌋ is the group of oc.
/// top and left are the padding; outside the image, the padding mode defines x.
/// </para>
/// <para>
/// dy, dx, dw and db are the gradients of the loss with respect to y, x, w and b. Each product w·x is added to one element of y. The convolution is linear
/// in x and in w, so its gradients are sums over the same combinations of x, w and y, with the roles exchanged:
/// </para>
/// <code>
/// forward pass             y += w · x
/// gradient of the input   dx += w · dy
/// gradient of the weight  dw += x · dy
/// </code>
/// <para>
/// The kernel is not flipped. In mathematics, this operation is called cross-correlation.
/// All arrays are NCHW and row-major. T is any number type, such as float or double.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html.
/// </para>
/// </remarks>
public static class Conv2dReference
{
    /// <summary>Computes the forward pass, y = x ⋆ w + b.</summary>
    /// <param name="shape">Sizes of the convolution.</param>
    /// <param name="x">Input, [N, IC, H, W].</param>
    /// <param name="w">Weight, [OC, IC/groups, kH, kW].</param>
    /// <param name="b">Bias, [OC], or empty for no bias.</param>
    /// <param name="y">Output, [N, OC, OH, OW]; overwritten.</param>
    /// <exception cref="ArgumentException">The length of a span does not match the shape.</exception>
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

    /// <summary>Computes the gradient of the input, dx = ∂⟨y, dy⟩/∂x with ⟨y, dy⟩ = Σ y·dy.</summary>
    /// <param name="shape">Sizes of the convolution.</param>
    /// <param name="dy">Gradient of the output, [N, OC, OH, OW].</param>
    /// <param name="w">Weight, [OC, IC/groups, kH, kW].</param>
    /// <param name="dx">Gradient of the input, [N, IC, H, W]; overwritten.</param>
    /// <exception cref="ArgumentException">The length of a span does not match the shape.</exception>
    public static void BackwardInput<T>(Conv2dShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<T> w, Span<T> dx) where T : INumber<T>
    {
        Check("dy", shape.OutputLength, dy.Length);
        Check("w", shape.WeightLength, w.Length);
        Check("dx", shape.InputLength, dx.Length);
        dx.Clear();
        ForEachProduct(shape, new AddToInput<T>(dx, w, dy));
    }

    /// <summary>Adds the gradient of the weight, dw += ∂⟨y, dy⟩/∂w with ⟨y, dy⟩ = Σ y·dy.</summary>
    /// <param name="shape">Sizes of the convolution.</param>
    /// <param name="x">Input, [N, IC, H, W].</param>
    /// <param name="dy">Gradient of the output, [N, OC, OH, OW].</param>
    /// <param name="dw">Gradient of the weight, [OC, IC/groups, kH, kW]; the result is added to it.</param>
    /// <exception cref="ArgumentException">The length of a span does not match the shape.</exception>
    public static void BackwardWeight<T>(Conv2dShape shape, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dw) where T : INumber<T>
    {
        Check("x", shape.InputLength, x.Length);
        Check("dy", shape.OutputLength, dy.Length);
        Check("dw", shape.WeightLength, dw.Length);
        ForEachProduct(shape, new AddToWeight<T>(x, dw, dy));
    }

    /// <summary>Adds the gradient of the bias, db[oc] += Σ dy[n,oc,oy,ox] over n, oy and ox.</summary>
    /// <param name="shape">Sizes of the convolution.</param>
    /// <param name="dy">Gradient of the output, [N, OC, OH, OW].</param>
    /// <param name="db">Gradient of the bias, [OC]; the result is added to it.</param>
    /// <exception cref="ArgumentException">The length of a span does not match the shape.</exception>
    public static void BackwardBias<T>(Conv2dShape shape, ReadOnlySpan<T> dy, Span<T> db) where T : INumber<T>
    {
        Check("dy", shape.OutputLength, dy.Length);
        Check("db", shape.OutputChannels, db.Length);
        int plane = shape.OutputHeight * shape.OutputWidth;
        for (int i = 0; i < dy.Length; i++)
            db[i / plane % shape.OutputChannels] += dy[i];
    }

    /// <summary>Visits every product of the formula once. The indices of its x, w and y in their arrays identify a product.</summary>
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
                                continue;                                                                            // zero padding
                            int x = ((n * s.InputChannels + xChannel) * s.Rows.Input + iy) * s.Columns.Input;        // x[n, xChannel, iy, 0]
                            int w = ((oc * s.GroupInputChannels + ic) * s.Rows.Kernel + ky) * s.Columns.Kernel;      // w[oc, ic, ky, 0]
                            int y = ((n * s.OutputChannels + oc) * s.OutputHeight + oy) * s.OutputWidth;             // y[n, oc, oy, 0]
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

    /// <summary>The operation on one product.</summary>
    interface IProduct
    {
        void Add(int x, int w, int y);
    }

    /// <summary>Forward pass: y += w · x.</summary>
    readonly ref struct AddToOutput<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> w, Span<T> y) : IProduct where T : INumber<T>
    {
        readonly ReadOnlySpan<T> x = x, w = w;
        readonly Span<T> y = y;

        public void Add(int xIndex, int wIndex, int yIndex) => y[yIndex] += w[wIndex] * x[xIndex];
    }

    /// <summary>Gradient of the input: dx += w · dy.</summary>
    readonly ref struct AddToInput<T>(Span<T> dx, ReadOnlySpan<T> w, ReadOnlySpan<T> dy) : IProduct where T : INumber<T>
    {
        readonly Span<T> dx = dx;
        readonly ReadOnlySpan<T> w = w, dy = dy;

        public void Add(int xIndex, int wIndex, int yIndex) => dx[xIndex] += w[wIndex] * dy[yIndex];
    }

    /// <summary>Gradient of the weight: dw += x · dy.</summary>
    readonly ref struct AddToWeight<T>(ReadOnlySpan<T> x, Span<T> dw, ReadOnlySpan<T> dy) : IProduct where T : INumber<T>
    {
        readonly ReadOnlySpan<T> x = x, dy = dy;
        readonly Span<T> dw = dw;

        public void Add(int xIndex, int wIndex, int yIndex) => dw[wIndex] += x[xIndex] * dy[yIndex];
    }

    static void Check(string name, int expected, int length)
    {
        if (length != expected)
            throw new ArgumentException($"{name} must hold {expected} numbers for this convolution, not {length}");
    }
}
