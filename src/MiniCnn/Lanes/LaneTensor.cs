using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MiniCnn;

/// <summary>
/// A batch of images as the kernels hold it: blocks of <see cref="Lanes"/> images, innermost, so that lane i is image i of its block
/// and every layer is the formula of one image, run on all lanes at once.
/// </summary>
/// <remarks>
/// Memory: [block][C][top + H + bottom][left + W + right][lanes], 64-byte aligned, planes apart as the constructor says. With one lane this is NCHW with margins.
/// Margins are zeroed when memory is taken and never written. In a last block that is not full the lanes beyond <see cref="Count"/>
/// are dead: zero in what comes in and in every gradient, unspecified elsewhere; a kernel may set them to zero. The memory goes with the object: who holds a pointer into it
/// keeps the object alive (a work struct's field does, see <see cref="Workers"/>; a method of its own ends with GC.KeepAlive).
/// </remarks>
sealed unsafe class LaneTensor<T> where T : unmanaged
{
    /// <summary>Images in a full block: one cache line of floats, on every machine.</summary>
    public const int FullLanes = 16;

    /// <summary>Where memory comes from and goes to: tests put pages around it that nobody may touch.</summary>
    public static delegate*<nuint, nuint, void*> Take = &NativeMemory.AlignedAlloc;
    public static delegate*<void*, void> GiveBack = &NativeMemory.AlignedFree;

    // Planes lie an odd number of cache lines apart: a pixel's channels then fall into different sets of the cache.
    static readonly nint Line = 64 / sizeof(T);

    T* memory;
    nuint capacity;

    /// <summary>
    /// Lanes for a batch: a few images run one by one, with vectors along their rows or of their channels; more of them take a lane each, though lanes stay
    /// empty. A block, full or not, takes as long as 6 to 15 images one by one in a forward pass, as 4 to 16 in training, by the network.
    /// </summary>
    public static int LanesFor(int count) => count <= FullLanes / 2 ? 1 : FullLanes;

    /// <summary>A tensor for images of a shape, with no images yet.</summary>
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

    /// <summary>Gives the memory back at once: the collector does not know how much there is. The tensor is not to be used any more.</summary>
    public void Free()
    {
        GiveBack(memory);
        memory = null;
        capacity = 0;
    }

    /// <summary>Images.</summary>
    public int Count { get; private set; }

    /// <summary>Images in a block: 16, or 1.</summary>
    public int Lanes { get; }

    /// <summary>Channels and size of one image, margins not counted.</summary>
    public ImageShape Shape { get; }

    /// <summary>Zeros around every plane.</summary>
    public Padding Margin { get; }

    /// <summary>Numbers from one row to the next.</summary>
    public nint RowPitch { get; }

    /// <summary>Numbers from one channel to the next.</summary>
    public nint PlanePitch { get; }

    /// <summary>Numbers from one block to the next.</summary>
    public nint BlockPitch { get; }

    /// <summary>Numbers in a row, lanes counted, margins not.</summary>
    public int RowLength
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Shape.Width * Lanes;
    }

    /// <summary>Whether all pixels of a block follow one another, with neither margins nor gaps.</summary>
    public bool IsOneRow => BlockPitch == Shape.Length * Lanes;

    /// <summary>Blocks, the last one perhaps not full.</summary>
    public int Blocks { get; private set; }

    /// <summary>Planes of all blocks: block · channels + channel.</summary>
    public int Planes => Blocks * Shape.Channels;

    /// <summary>Pixel 0 of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* At(int block, int channel, int row) =>
        memory + block * BlockPitch + channel * PlanePitch + (Margin.Top + row) * RowPitch + Margin.Left * Lanes;

    /// <summary>Pixel 0 of a row of a plane, counted over blocks and channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* At(int plane, int row) => memory + plane * PlanePitch + (Margin.Top + row) * RowPitch + Margin.Left * Lanes;

    /// <summary>A pixel of a block, counted over channels and rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* Pixel(int block, int pixel)
    {
        (int row, int column) = Math.DivRem(pixel, Shape.Width);
        return At(block, row / Shape.Height, row % Shape.Height) + column * Lanes;
    }

    /// <summary>Makes room for a number of images. Memory grows to the largest number and serves smaller ones; what it holds is unspecified.</summary>
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

    /// <summary>Sets a plane to zero, counted over blocks and channels.</summary>
    public void ClearPlane(int plane)
    {
        NativeMemory.Clear(memory + plane * PlanePitch, (nuint)PlanePitch * (nuint)sizeof(T));
        GC.KeepAlive(this);
    }

    /// <summary>Sets the lanes that hold no image to zero.</summary>
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

    /// <summary>Takes over the images of a tensor that differs in its margin only.</summary>
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

    /// <summary>Takes images in from [N, C, H, W]; dead lanes become zero.</summary>
    public void Pack(ReadOnlySpan<T> images)
    {
        fixed (T* from = images[..checked((int)(Count * Shape.Length))])
            RunTransposed(from, pack: true);
    }

    /// <summary>Gives the images out as [N, C, H, W].</summary>
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
