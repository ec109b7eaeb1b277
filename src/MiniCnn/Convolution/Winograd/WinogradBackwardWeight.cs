using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The gradient of the weight, dw += ∂⟨y, dy⟩/∂w, of a 3×3 convolution with stride 1 and several lanes, by <see cref="WinogradTransforms"/>. x and dy are
/// transformed to 36 places. At each place, the products of a channel of x and a channel of dy are summed over all tiles and images. The sums are
/// transformed to dw.
/// </summary>
/// <remarks>
/// The forward pass combines w and x as Aᵀ [(G w Gᵀ) ∘ (Bᵀ x B)] A. Its transpose with respect to w is Gᵀ [(A dy Aᵀ) ∘ (Bᵀ x B)] G, summed over all tiles.
/// A vector holds channels of dy, so that no sum runs over the lanes of a vector; the pixels of dy are transposed first. The tiles are divided into
/// chunks, and the sums of the chunks are added in order. The chunks depend only on the shape, so the result does not depend on the number of threads.
/// </remarks>
static unsafe class WinogradBackwardWeight
{
    /// <summary>Adds to dw. The margin of x must be the padding.</summary>
    public static void Run<T>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw, ConvolutionBuffers<T> buffers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int weights = checked(shape.OutputChannels * shape.GroupInputChannels * shape.Window.Taps);
        x.ClearDeadLanes();                                                    // 0 · NaN would be NaN
        dy.ClearDeadLanes();                                                   // zero in a gradient, but a transposed convolution passes its x here
        WinogradTiles<T> tiles = new(x, (shape.Rows.PadBefore, shape.Columns.PadBefore), shape.Window.Dilation, (shape.OutputHeight, shape.OutputWidth));
        int chunks = Sums<T>.ChunksOf(shape, dy.Blocks * tiles.Count);
        fixed (T* sums = buffers.Weights.Take(checked(chunks * weights)))
        {
            Sums<T> work = new(shape, tiles, dy, chunks, sums);
            Simd.Run(x, work.Parts, nint.MaxValue, work);
            Span<T> total = new(dw, weights);
            for (int chunk = 0; chunk < chunks; chunk++)
                TensorPrimitives.Add(total, new ReadOnlySpan<T>(sums + (nint)chunk * weights, weights), total);
        }
    }

    /// <summary>The sums of all channels of x and some channels of dy, of one group, over a chunk of the tiles.</summary>
    readonly struct Sums<T>(Conv2dShape shape, WinogradTiles<T> tiles, LaneTensor<T> dy, int chunks, T* to) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Places = WinogradTransforms.Places, Side = WinogradTransforms.Outputs, Line = 16;

        // Channels of dy at a time: four vectors of 16, the tile of a product. With 64 channels of x, their sums fit an L2 cache: 36 · 64 · 80 · 4 bytes =
        // 740 kB, 64 channels of dy having a pitch of 80.
        const int Block = 64;

        readonly int inputs = shape.GroupInputChannels, outputs = shape.GroupOutputChannels, lanes = dy.Lanes;

        int Blocks => (outputs + Block - 1) / Block;

        public int Parts => chunks * shape.Groups * Blocks;

        /// <summary>
        /// Number of chunks, at most two parts for each of four threads. A chunk has at least 8 tiles, because the transform of its sums takes as long as one
        /// tile. It has at least 16 if the sums exceed the L2 cache, where the transform takes as long as two tiles.
        /// </summary>
        public static int ChunksOf(Conv2dShape shape, int tiles)
        {
            int blocks = shape.Groups * ((shape.GroupOutputChannels + Block - 1) / Block), least = shape.GroupInputChannels < 128 ? 8 : 16;
            return Math.Clamp(tiles / least, 1, Math.Max(1, 8 / blocks));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int chunk, int rest) = Math.DivRem(part, shape.Groups * Blocks);
            (int group, int block) = Math.DivRem(rest, Blocks);
            int firstChannel = group * outputs + block * Block, channels = Math.Min(Block, outputs - block * Block);
            // Tiles at a time: their transformed x and dy, 36 · 16 lanes · (inputs + channels) numbers per tile, are about as large as the sums,
            // 36 · inputs · channels.
            int most = Math.Clamp(inputs * channels / (lanes * (inputs + channels)), 3, 9);
            WinogradWeights weights = new(inputs, channels, 1);
            nint pitch = (channels + Line - 1) / Line * Line;
            nint xPlane = (inputs * most | 1) * (nint)lanes, dyPlane = (most * lanes * pitch / Line | 1) * Line;
            T* sums = Scratch<T>.Take(checked((int)(weights.Length + Places * (xPlane + dyPlane + lanes) + Side * Side * lanes * Line)));
            T* from = sums + weights.Length, by = from + Places * xPlane, edge = by + Places * dyPlane, pixels = edge + Places * lanes;
            new Span<T>(pixels, Side * Side * lanes * Line).Clear();
            long all = (long)dy.Blocks * tiles.Count;
            int begin = (int)(all * chunk / chunks), end = (int)(all * (chunk + 1) / chunks);
            for (int tile = begin, count; tile < end; tile += count)
            {
                (int images, int first) = Math.DivRem(tile, tiles.Count);
                count = Math.Min(most, Math.Min(tiles.Count - first, end - tile));
                tiles.Input<V>(images, group * inputs, inputs, first, count, from, xPlane, edge);
                Gradient<V>(images, firstChannel, channels, first, count, by, dyPlane, pitch, pixels);
                int vectors = (channels + V.Count - 1) / V.Count;
                for (int place = 0; place < Places; place++)
                {
                    Grid<T> m = new(from + place * xPlane, count * lanes, 1), pixel = new(by + place * dyPlane, pitch, V.Count);
                    Product<T, V> product = new(m, pixel, new(sums + place * weights.Place, weights.Pitch, V.Count));
                    if (tile == begin)
                        product.Set(inputs, count * lanes, vectors);
                    else
                        product.Add(inputs, count * lanes, vectors);
                }
            }
            weights.TransformBack<T, V>(sums, to + ((nint)chunk * shape.OutputChannels + firstChannel) * inputs * 9);
        }

        /// <summary>Transforms some tiles of some channels of dy to [place][tile][lane][channel].</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Gradient<V>(int images, int firstChannel, int channels, int first, int count, T* to, nint plane, nint pitch, T* pixels)
            where V : struct, ILanes<V, T>
        {
            (int down, int right) = shape.Window.Dilation;
            for (int tile = 0; tile < count; tile++)
            {
                (int row, int column) = tiles.First(first + tile);
                (int rows, int columns) = tiles.OutputsFrom(row, column);
                for (int channel = 0; channel < channels; channel += Line)
                {
                    int line = Math.Min(Line, channels - channel);
                    for (int i = 0; i < Side; i++)
                        for (int j = 0; j < Side; j++)
                        {
                            T* pixel = pixels + (i * Side + j) * lanes * Line;
                            if (i < rows && j < columns)
                                Transpose.ToPixels(
                                    dy.At(images, firstChannel + channel, row + i * down) + (column + j * right) * lanes, dy.PlanePitch, pixel, Line, line, lanes);
                            else
                                new Span<T>(pixel, lanes * Line).Clear();
                        }
                    T* target = to + tile * lanes * pitch + channel;
                    for (int lane = 0; lane < lanes; lane++, target += pitch)
                        for (int vector = 0; vector < Line; vector += V.Count)
                            WinogradTransforms.Gradient<T, V>(
                                pixels + lane * Line + vector, Side * lanes * Line, lanes * Line, target + vector, plane);
                }
            }
        }
    }
}
