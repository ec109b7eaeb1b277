using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The convolution over lanes: the sums of <see cref="Conv2dReference"/>, run on all images of a group at once.
/// </summary>
/// <remarks>
/// Padding is zeros. x has them as its margin, so that no tap of the forward pass asks where the image ends.
/// Every plane of y and of dx, and every kernel of dw, is written by one worker in a fixed order.
/// </remarks>
static unsafe class Conv2dLanes
{
    /// <summary>y = x ⋆ w + b; no bias where b is null. x has a margin of the window's padding at least.</summary>
    public static void Forward<T, V>(Conv2dShape shape, LaneTensor<T> x, T* w, T* b, LaneTensor<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> =>
        Workers.Run(y.Planes, new ForwardPlane<T, V>(shape, x, w, b, y));

    /// <summary>dx = ∂⟨y, dy⟩/∂x.</summary>
    public static void BackwardInput<T, V>(Conv2dShape shape, LaneTensor<T> dy, T* w, LaneTensor<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> =>
        Workers.Run(dx.Planes, new BackwardInputPlane<T, V>(shape, dy, w, dx));

    /// <summary>dw += ∂⟨y, dy⟩/∂w. x has a margin of the window's padding at least.</summary>
    public static void BackwardWeight<T, V>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> =>
        Workers.Run(shape.OutputChannels * shape.GroupInputChannels, new BackwardWeightKernel<T, V>(shape, x, dy, dw));

    /// <summary>db[oc] += Σ dy[n,oc,oy,ox] over n, oy, ox.</summary>
    public static void BackwardBias<T, V>(LaneTensor<T> dy, T* db)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> =>
        Workers.Run(dy.Shape.Channels, new BackwardBiasChannel<T, V>(dy, db));

    /// <summary>One channel of y for one group: each weight adds w · (a row of x) to a row of y.</summary>
    readonly struct ForwardPlane<T, V>(Conv2dShape shape, LaneTensor<T> x, T* w, T* b, LaneTensor<T> y) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        public void Run(int plane)
        {
            WindowAxis rows = shape.Rows, columns = shape.Columns;
            int group = plane / shape.OutputChannels, oc = plane % shape.OutputChannels;
            int firstChannel = oc / shape.GroupOutputChannels * shape.GroupInputChannels;
            for (int oy = 0; oy < rows.Output; oy++)
            {
                T* to = y.At(plane, oy);
                V bias = V.Broadcast(b == null ? T.Zero : b[oc]);
                for (int i = 0; i < y.RowLength; i += V.Count)
                    bias.Store(to + i);
                T* weight = w + oc * shape.GroupInputChannels * shape.Window.Taps;
                for (int ic = 0; ic < shape.GroupInputChannels; ic++)
                    for (int ky = 0; ky < rows.Kernel; ky++)
                        for (int kx = 0; kx < columns.Kernel; kx++)
                        {
                            T* from = x.At(group, firstChannel + ic, oy * rows.Stride + ky * rows.Dilation - rows.PadBefore)
                                + (kx * columns.Dilation - columns.PadBefore) * x.Lanes;
                            AddRow<T, V>(*weight++, from, columns.Stride * x.Lanes, to, y.Lanes, columns.Output, x.Lanes);
                        }
            }
        }
    }

    /// <summary>One channel of dx for one group: each weight adds w · (a row of dy) to a row of dx, where it reads the image.</summary>
    readonly struct BackwardInputPlane<T, V>(Conv2dShape shape, LaneTensor<T> dy, T* w, LaneTensor<T> dx) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        public void Run(int plane)
        {
            WindowAxis rows = shape.Rows, columns = shape.Columns;
            int group = plane / shape.InputChannels, channel = plane % shape.InputChannels;
            int ic = channel % shape.GroupInputChannels, firstOutput = channel / shape.GroupInputChannels * shape.GroupOutputChannels;
            dx.ClearPlane(plane);
            for (int oc = firstOutput; oc < firstOutput + shape.GroupOutputChannels; oc++)
            {
                T* weight = w + (oc * shape.GroupInputChannels + ic) * shape.Window.Taps;
                for (int ky = 0; ky < rows.Kernel; ky++)
                    for (int kx = 0; kx < columns.Kernel; kx++, weight++)
                    {
                        int first = columns.FirstOutput(kx), count = columns.EndOutput(kx) - first;
                        for (int oy = rows.FirstOutput(ky); oy < rows.EndOutput(ky) && count > 0; oy++)
                        {
                            T* from = dy.At(group, oc, oy) + first * dy.Lanes;
                            T* to = dx.At(plane, rows.Source(oy, ky)) + columns.Source(first, kx) * dx.Lanes;
                            AddRow<T, V>(*weight, from, dy.Lanes, to, columns.Stride * dx.Lanes, count, dx.Lanes);
                        }
                    }
            }
        }
    }

    /// <summary>One kernel of dw, four taps at a time: each is the dot product of what it reads of x and dy.</summary>
    readonly struct BackwardWeightKernel<T, V>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        public void Run(int kernel)
        {
            int oc = kernel / shape.GroupInputChannels, ic = kernel % shape.GroupInputChannels, taps = shape.Window.Taps;
            int channel = oc / shape.GroupOutputChannels * shape.GroupInputChannels + ic;
            for (int tap = 0; tap < taps; tap += 4)
            {
                AddTaps(oc, channel, tap, 0, dy.FullGroups, dy.Lanes, dw + kernel * taps);
                AddTaps(oc, channel, tap, dy.FullGroups, dy.Groups, dy.Count % dy.Lanes, dw + kernel * taps);   // dead lanes stay out
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void AddTaps(int oc, int channel, int tap, int fromGroup, int endGroup, int live, T* dw)
        {
            if (fromGroup == endGroup)
                return;
            int lanes = dy.Lanes, taps = shape.Window.Taps;
            nint step = shape.Columns.Stride * lanes;
            nint at0 = Offset(tap), at1 = Offset(tap + 1), at2 = Offset(tap + 2), at3 = Offset(tap + 3);
            T* sums = stackalloc T[4 * LaneTensor<T>.FullLanes];
            for (int lane = 0; lane < lanes; lane += V.Count)
            {
                V sum0 = V.Broadcast(T.Zero), sum1 = sum0, sum2 = sum0, sum3 = sum0;
                for (int group = fromGroup; group < endGroup; group++)
                    for (int oy = 0; oy < shape.OutputHeight; oy++)
                    {
                        T* px = x.At(group, channel, oy * shape.Rows.Stride) + lane, pdy = dy.At(group, oc, oy) + lane;
                        for (int ox = 0; ox < shape.OutputWidth; ox++, px += step, pdy += lanes)
                        {
                            V gradient = V.Load(pdy);
                            sum0 = V.MultiplyAdd(V.Load(px + at0), gradient, sum0);
                            sum1 = V.MultiplyAdd(V.Load(px + at1), gradient, sum1);
                            sum2 = V.MultiplyAdd(V.Load(px + at2), gradient, sum2);
                            sum3 = V.MultiplyAdd(V.Load(px + at3), gradient, sum3);
                        }
                    }
                sum0.Store(sums + lane);
                sum1.Store(sums + lanes + lane);
                sum2.Store(sums + 2 * lanes + lane);
                sum3.Store(sums + 3 * lanes + lane);
            }
            for (int i = 0; i < 4 && tap + i < taps; i++)
                dw[tap + i] += LaneSum.Of(sums + i * lanes, lanes, live);
        }

        /// <summary>From the pixel above and left of which the padding begins to the one that a tap reads; beyond the last tap, the last one's.</summary>
        nint Offset(int tap)
        {
            (int ky, int kx) = Math.DivRem(Math.Min(tap, shape.Window.Taps - 1), shape.Columns.Kernel);
            return (ky * shape.Rows.Dilation - shape.Rows.PadBefore) * x.RowPitch
                + (kx * shape.Columns.Dilation - shape.Columns.PadBefore) * x.Lanes;
        }
    }

    readonly struct BackwardBiasChannel<T, V>(LaneTensor<T> dy, T* db) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        public void Run(int oc)
        {
            T* sums = stackalloc T[LaneTensor<T>.FullLanes];
            for (int lane = 0; lane < dy.Lanes; lane += V.Count)
            {
                V sum = V.Broadcast(T.Zero);                        // dead lanes of dy are zero
                for (int group = 0; group < dy.Groups; group++)
                    for (int oy = 0; oy < dy.Shape.Height; oy++)
                    {
                        T* from = dy.At(group, oc, oy) + lane;
                        for (int i = 0; i < dy.RowLength; i += dy.Lanes)
                            sum += V.Load(from + i);
                    }
                sum.Store(sums + lane);
            }
            db[oc] += LaneSum.Of(sums, dy.Lanes, dy.Lanes);
        }
    }

    /// <summary>to[i] += w · from[i] for pixels i, each of them all lanes wide.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddRow<T, V>(T w, T* from, nint fromStep, T* to, nint toStep, int pixels, int lanes)
        where T : unmanaged where V : struct, ILanes<V, T>
    {
        V weight = V.Broadcast(w);
        for (int i = 0; i < pixels; i++, from += fromStep, to += toStep)
            for (int lane = 0; lane < lanes; lane += V.Count)
                V.MultiplyAdd(weight, V.Load(from + lane), V.Load(to + lane)).Store(to + lane);
    }
}
