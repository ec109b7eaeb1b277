using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// What forward and backward-input come down to: y[c, pixel] = b[c] + Σ w[t, c] · x[pixel + offset[t]], the sum over the taps t.
/// </summary>
/// <remarks>
/// A tap is one input channel at one place of the kernel, so stride, padding, dilation and flipping are in the offsets alone. A tile keeps four
/// channels of up to three pixels in registers over the whole sum. Every output has its sum in the order of the taps, whatever the tile.
/// </remarks>
/// <param name="w">Weights, [group][panel of four channels][taps][4].</param>
/// <param name="b">What each sum begins with, [group][panel][4].</param>
/// <param name="offsets">[taps], numbers from a pixel of x to what the tap reads.</param>
/// <param name="taps">Products in one sum.</param>
/// <param name="groups">Groups of channels.</param>
/// <param name="x">What is read; wide enough margins around it.</param>
/// <param name="y">What is written: every yStep-th pixel from yFirst on.</param>
/// <param name="xStep">Pixels of x from one output to the next.</param>
/// <param name="yStep">Pixels of y from one output to the next.</param>
/// <param name="yFirst">The first output's place in y.</param>
readonly unsafe struct TapSum<T, V>(
    T* w, T* b, nint* offsets, int taps, int groups, LaneTensor<T> x, LaneTensor<T> y, Size2d xStep, Size2d yStep, Size2d yFirst) : IWork
    where T : unmanaged, INumberBase<T> where V : struct, ILanes<V, T>
{
    public const int PanelChannels = 4;

    readonly int rows = (y.Shape.Height - yFirst.Height + yStep.Height - 1) / yStep.Height;
    readonly int columns = (y.Shape.Width - yFirst.Width + yStep.Width - 1) / yStep.Width;

    public static int Panels(int channels) => (channels + PanelChannels - 1) / PanelChannels;

    /// <summary>
    /// Lays out weights: tap t of channel c of group g is w[g·groupStep + c·channelStep + places[t]]. A last panel is filled up with zeros.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(T* w, nint groupStep, nint channelStep, nint* places, int taps, int groups, int channels, T* packed)
    {
        for (int group = 0; group < groups; group++)
            for (int first = 0; first < channels; first += PanelChannels, packed += (nint)taps * PanelChannels)
                for (int i = 0; i < PanelChannels; i++)
                {
                    T* from = w + group * groupStep + (first + i) * channelStep, to = packed + i;
                    bool real = first + i < channels;
                    for (int tap = 0; tap < taps; tap++, to += PanelChannels)
                        *to = real ? from[places[tap]] : T.Zero;
                }
    }

    /// <summary>Runs it: a few rows of one group of images at a time, so that what they read stays near.</summary>
    public void Run() => Workers.Run(y.Groups * Bands, this);

    // About 16 thousand multiply-adds a lane, so that handing a part out costs little.
    int BandRows => (int)Math.Clamp(16_384L / ((long)columns * taps * y.Shape.Channels / groups + 1), 1, rows);

    int Bands => (rows + BandRows - 1) / BandRows;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int part)
    {
        (int imageGroup, int band) = Math.DivRem(part, Bands);
        int channels = y.Shape.Channels / groups, panels = Panels(channels), end = Math.Min(rows, (band + 1) * BandRows);
        for (int group = 0; group < groups; group++)
        {
            for (int panel = 0; panel < panels; panel++)
            {
                int at = group * panels + panel, channel = panel * PanelChannels;
                for (int row = band * BandRows; row < end; row++)
                {
                    Row(
                        w + (nint)at * taps * PanelChannels, b + at * PanelChannels,
                        x.At(imageGroup, group * (x.Shape.Channels / groups), row * xStep.Height),
                        y.At(imageGroup, group * channels + channel, yFirst.Height + row * yStep.Height) + yFirst.Width * y.Lanes,
                        Math.Min(PanelChannels, channels - channel));
                }
            }
        }
    }

    /// <summary>One row of one panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Row(T* w, T* b, T* from, T* to, int channels)
    {
        int lanes = y.Lanes;
        nint xPixel = xStep.Width * lanes, yPixel = yStep.Width * lanes;
        for (int lane = 0; lane < lanes; lane += V.Count)
        {
            T* read = from + lane, write = to + lane;
            for (int left = columns; left > 0;)
            {
                int pixels = left is 2 or 4 ? 2 : Math.Min(left, 3);          // four are two and two
                if (pixels == 3)
                    Tile<Pixels3<V, T>>(w, b, read, write, channels);
                else if (pixels == 2)
                    Tile<Pixels2<V, T>>(w, b, read, write, channels);
                else
                    Tile<Pixels1<V, T>>(w, b, read, write, channels);
                read += pixels * xPixel;
                write += pixels * yPixel;
                left -= pixels;
            }
        }
    }

    /// <summary>Four channels of a few pixels: y = b + Σ w · x, the sums in registers from the first tap to the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Tile<P>(T* w, T* b, T* from, T* to, int channels) where P : struct, IPixels<P, T>
    {
        nint xPixel = xStep.Width * x.Lanes, yPixel = yStep.Width * y.Lanes, plane = y.PlanePitch;
        P y0 = P.Broadcast(b[0]), y1 = P.Broadcast(b[1]), y2 = P.Broadcast(b[2]), y3 = P.Broadcast(b[3]);
        nint* offset = offsets;
        for (nint* end = offset + taps; offset < end; offset++, w += PanelChannels)
        {
            P pixels = P.Load(from + *offset, xPixel);
            y0 = y0.Plus(w[0], pixels);
            y1 = y1.Plus(w[1], pixels);
            y2 = y2.Plus(w[2], pixels);
            y3 = y3.Plus(w[3], pixels);
        }
        y0.Store(to, yPixel);
        if (channels > 1)
            y1.Store(to + plane, yPixel);
        if (channels > 2)
            y2.Store(to + 2 * plane, yPixel);
        if (channels > 3)
            y3.Store(to + 3 * plane, yPixel);
    }
}
