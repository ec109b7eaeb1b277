using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MiniCnn;

/// <summary>
/// A batch of images in the layout of the kernels: blocks of <see cref="Lanes"/> images, with the index of the image innermost. Lane i is image i of its
/// block, so a layer computes the formula of one image on all lanes at once.
/// </summary>
/// <remarks>
/// Memory layout: [block][C][top + H + bottom][left + W + right][lanes], aligned to 64 bytes. Large planes are followed by a gap, see <see cref="PlanePitch"/>.
/// With one lane, this is NCHW with margins. Margins are zeroed at allocation and never written. If the last block is not full, its lanes beyond
/// <see cref="Count"/> are dead: zero after <see cref="Pack"/> and in every gradient, otherwise unspecified. A kernel may set them to zero.
/// The memory is freed with the object, so code that holds a pointer into it must keep the object alive: a field of a work struct does this, see
/// <see cref="Workers"/>; other methods end with GC.KeepAlive.
/// </remarks>
sealed unsafe class LaneTensor<T> where T : unmanaged
{
    /// <summary>Number of images in a full block: one cache line of floats. It is the same on every machine.</summary>
    public const int FullLanes = 16;

    /// <summary>Allocates memory. Tests replace it, to surround the memory with inaccessible pages.</summary>
    public static delegate*<nuint, nuint, void*> Take = &NativeMemory.AlignedAlloc;

    /// <summary>Frees memory that Take allocated.</summary>
    public static delegate*<void*, void> GiveBack = &NativeMemory.AlignedFree;

    // Planes are an odd number of cache lines apart, so that the channels of a pixel use different sets of the cache.
    static readonly nint Line = 64 / sizeof(T);

    T* memory;
    nuint capacity;

    /// <summary>
    /// Returns the number of lanes for a batch: 1 for up to 8 images, with vectors along their rows or over their channels; 16 for more images, even if
    /// lanes stay empty. A block, full or not, takes as long as 6 to 15 images with one lane in a forward pass, or 4 to 16 in training, depending on the
    /// network.
    /// </summary>
    public static int LanesFor(int count) => count <= FullLanes / 2 ? 1 : FullLanes;

    /// <summary>Creates a tensor for images of this shape, without images.</summary>
    public LaneTensor(int lanes, ImageShape shape, Padding margin = default)
    {
        (Lanes, Shape, Margin) = (lanes, shape, margin);
        RowPitch = checked(((nint)margin.Left + shape.Width + margin.Right) * lanes);
        PlanePitch = checked(((nint)margin.Top + shape.Height + margin.Bottom) * RowPitch);
        if (PlanePitch >= 16 * Line)
            PlanePitch = checked(((PlanePitch + Line - 1) / Line | 1) * Line);
        BlockPitch = checked(shape.Channels * PlanePitch);
    }

    ~LaneTensor() => Free();

    /// <summary>Frees the memory immediately, because the garbage collector does not know its size. Only <see cref="Resize"/> may follow.</summary>
    public void Free()
    {
        GiveBack(memory);
        memory = null;
        capacity = 0;
    }

    /// <summary>Number of images.</summary>
    public int Count { get; private set; }

    /// <summary>Number of images in a block: 16 or 1.</summary>
    public int Lanes { get; }

    /// <summary>Shape of one image, without margins.</summary>
    public ImageShape Shape { get; }

    /// <summary>Zeros around every plane.</summary>
    public Padding Margin { get; }

    /// <summary>Elements from one row to the next.</summary>
    public nint RowPitch { get; }

    /// <summary>Elements from one channel to the next: an odd number of cache lines, if a plane has at least 16.</summary>
    public nint PlanePitch { get; }

    /// <summary>Elements from one block to the next.</summary>
    public nint BlockPitch { get; }

    /// <summary>Elements in a row of all lanes, without margins.</summary>
    public int RowLength
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Shape.Width * Lanes;
    }

    /// <summary>Whether all pixels of a block are contiguous, without margins and gaps.</summary>
    public bool IsOneRow => BlockPitch == Shape.Length * Lanes;

    /// <summary>Number of blocks. The last one may not be full.</summary>
    public int Blocks { get; private set; }

    /// <summary>Number of planes of all blocks. The index of a plane is block · channels + channel.</summary>
    public int Planes => Blocks * Shape.Channels;

    /// <summary>Address of pixel 0 of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* At(int block, int channel, int row) =>
        memory + block * BlockPitch + channel * PlanePitch + (Margin.Top + row) * RowPitch + Margin.Left * Lanes;

    /// <summary>Address of pixel 0 of a row of a plane, by the index of the plane over blocks and channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* At(int plane, int row) => memory + plane * PlanePitch + (Margin.Top + row) * RowPitch + Margin.Left * Lanes;

    /// <summary>Address of a pixel of a block, by the index of the pixel over channels, rows and columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* Pixel(int block, int pixel)
    {
        (int row, int column) = Math.DivRem(pixel, Shape.Width);
        return At(block, row / Shape.Height, row % Shape.Height) + column * Lanes;
    }

    /// <summary>Sets the number of images. The memory grows to the largest number and is reused for smaller ones. Its content is unspecified.</summary>
    public LaneTensor<T> Resize(int count)
    {
        (Count, Blocks) = (count, (count + Lanes - 1) / Lanes);
        nuint length = checked((nuint)Blocks * (nuint)BlockPitch);
        if (length > capacity)
        {
            Free();
            memory = (T*)Take(checked(length * (nuint)sizeof(T)), 64);
            capacity = length;
            NativeMemory.Clear(memory, length * (nuint)sizeof(T));
        }
        return this;
    }

    /// <summary>Sets a plane to zero, by the index of the plane over blocks and channels.</summary>
    public void ClearPlane(int plane)
    {
        NativeMemory.Clear(memory + plane * PlanePitch, (nuint)PlanePitch * (nuint)sizeof(T));
        GC.KeepAlive(this);
    }

    /// <summary>Sets the dead lanes to zero.</summary>
    public void ClearDeadLanes()
    {
        if (Count % Lanes > 0)
            Workers.RunMany(Shape.Channels, PlanePitch, new ClearLanes(this));
    }

    readonly struct ClearLanes(LaneTensor<T> tensor) : IWork
    {
        public void Run(int channel)
        {
            int live = tensor.Count % tensor.Lanes, dead = tensor.Lanes - live;
            for (int row = 0; row < tensor.Shape.Height; row++)
                for (T* at = tensor.At(tensor.Blocks - 1, channel, row), end = at + tensor.RowLength; at < end; at += tensor.Lanes)
                    new Span<T>(at + live, dead).Clear();
        }
    }

    /// <summary>Copies the images of a tensor that differs only in its margin.</summary>
    public LaneTensor<T> CopyFrom(LaneTensor<T> other)
    {
        Lines<T> lines = new(this, other);
        Workers.RunMany(Blocks * lines.Count, lines.Size, new CopyLine(other, this, lines));
        return this;
    }

    readonly struct CopyLine(LaneTensor<T> from, LaneTensor<T> to, Lines<T> lines) : IWork
    {
        public void Run(int part)
        {
            (int block, int first, int rows, int numbers) = lines.Of(part);
            T* source = from.Pixel(block, first), target = to.Pixel(block, first);
            for (; rows > 0; rows--, source += from.RowPitch, target += to.RowPitch)
                new Span<T>(source, numbers).CopyTo(new(target, numbers));
        }
    }

    /// <summary>Copies images from [N, C, H, W]. Dead lanes become zero.</summary>
    public void Pack(ReadOnlySpan<T> images)
    {
        fixed (T* from = images[..checked((int)(Count * Shape.Length))])
            RunTransposed(from, pack: true);
    }

    /// <summary>Copies the images to [N, C, H, W].</summary>
    public void Unpack(Span<T> images)
    {
        fixed (T* to = images[..checked((int)(Count * Shape.Length))])
            RunTransposed(to, pack: false);
    }

    void RunTransposed(T* images, bool pack)
    {
        Lines<T> lines = new(this);
        Workers.RunMany(Blocks * lines.Count, lines.Size, new TransposeLine(this, images, pack, lines));
    }

    readonly struct TransposeLine(LaneTensor<T> lanes, T* images, bool pack, Lines<T> lines) : IWork
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part)
        {
            (int block, int first, int height, int numbers) = lines.Of(part);
            int live = Math.Min(lanes.Lanes, lanes.Count - block * lanes.Lanes), size = (int)lanes.Shape.Length, count = numbers / lanes.Lanes;
            T* rows = images + (nint)block * lanes.Lanes * size + first, pixels = lanes.Pixel(block, first);
            for (; height > 0; height--, rows += count, pixels += lanes.RowPitch)
            {
                if (pack && live < lanes.Lanes)
                    new Span<T>(pixels, numbers).Clear();
                if (pack)
                    Transpose.ToPixels(rows, size, pixels, lanes.Lanes, live, count);
                else
                    Transpose.ToRows(pixels, lanes.Lanes, rows, size, live, count);
            }
        }
    }
}
