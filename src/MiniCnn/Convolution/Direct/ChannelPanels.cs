using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Consecutive channels of y that the vectors of one tile hold.</summary>
/// <param name="Group">Index of the group.</param>
/// <param name="First">Index of the first channel in the group.</param>
/// <param name="Live">Number of channels.</param>
/// <param name="Width">Number of elements of the vectors; the last elements may hold no channel.</param>
/// <param name="Place">Total width of all previous panels.</param>
readonly record struct ChannelPanel(int Group, int First, int Live, int Width, nint Place);

/// <summary>The channels of y, divided by groups into panels that are as wide as a tile.</summary>
readonly record struct ChannelPanels(int Groups, int Channels, int Vector)
{
    /// <summary>
    /// Whether images with this number of channels in a group are computed by <see cref="ChannelConvolution{T}"/>. This requires one lane. It is not used
    /// where rows are long and channels fill few vectors: vectors along a row then leave a small remainder, use each pixel for eight channels, and need no
    /// transpose.
    /// </summary>
    public static bool Suit<T>(LaneTensor<T> images, int channels, int columns) where T : unmanaged =>
        images.Lanes == 1 && channels >= 4 && VectorFor(images, channels) is > 1 and int vector && columns <= 32 * ((channels + vector - 1L) / vector);

    /// <summary>Returns the panels for the channels of y.</summary>
    public static ChannelPanels Of<T>(LaneTensor<T> y, int groups) where T : unmanaged =>
        new(groups, y.Shape.Channels / groups, VectorFor(y, y.Shape.Channels / groups));

    // The narrowest vector that holds all channels of a group, otherwise the widest vector.
    static int VectorFor<T>(LaneTensor<T> images, int channels) where T : unmanaged =>
        Simd.Vector(images, (int)BitOperations.RoundUpToPowerOf2((uint)channels));

    /// <summary>The register tiles.</summary>
    public Tiles Tile => new(Vector, 1);

    /// <summary>Number of elements of the widest panel.</summary>
    // 6 pixels × 4 vectors need 10 loads for 24 multiply-adds; 12 × 2 would need 14 loads. With 16 registers, 6 × 2 is the widest: 8 loads for 12.
    public int Width => Math.Min(Vectors, Vector == 16 ? 4 : 2) * Vector;

    /// <summary>Number of panels of all groups.</summary>
    public int Count => Groups * InGroup;

    int Vectors => (Channels + Vector - 1) / Vector;

    int InGroup => (Vectors * Vector + Width - 1) / Width;

    /// <summary>Returns a panel by its index over all groups.</summary>
    public ChannelPanel At(int panel)
    {
        (int group, panel) = Math.DivRem(panel, InGroup);
        int first = Vectors * panel / InGroup * Vector, end = Vectors * (panel + 1) / InGroup * Vector;
        return new(group, first, Math.Min(end, Channels) - first, end - first, (nint)group * Vectors * Vector + first);
    }

    /// <summary>Number of elements that <see cref="Pack"/> needs for this number of taps.</summary>
    public int PackedLength(int taps) => checked(Groups * Vectors * Vector * (taps + 1) + LaneTensor<float>.FullLanes);

    /// <summary>
    /// Packs bias and weights by panels: first [channel] of the bias, then [tap][channel] of the weights. Every call packs them again, because the user
    /// may have changed them. Tap t of channel c of group g has the weight w[g·groupStep + c·channelStep + places[t]], or + t if places is null.
    /// </summary>
    /// <returns>Start of the packed data in the memory, aligned to a cache line: vectors that cross cache lines take twice as long.</returns>
    public unsafe T* Pack<T>(T* w, nint groupStep, nint channelStep, nint* places, int taps, T* bias, T* memory) where T : unmanaged, INumberBase<T>
    {
        T* packed = Scratch<T>.Align(memory);
        Workers.RunMany(Count * Pieces(taps), (nint)Math.Min(taps, PieceTaps) * Width, new PackPiece<T>(this, w, groupStep, channelStep, places, taps, bias, packed));
        return packed;
    }

    // 128 taps × 64 channels × 4 bytes = 32 kB.
    const int PieceTaps = 128;

    static int Pieces(int taps) => Math.Max(1, (taps + PieceTaps - 1) / PieceTaps);

    readonly unsafe struct PackPiece<T>(ChannelPanels panels, T* w, nint groupStep, nint channelStep, nint* places, int taps, T* bias, T* packed) : IWork
        where T : unmanaged, INumberBase<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part)
        {
            (part, int first) = Math.DivRem(part, Pieces(taps));
            first *= PieceTaps;
            ChannelPanel panel = panels.At(part);
            int count = Math.Min(PieceTaps, taps - first);
            T* to = packed + panel.Place * (taps + 1) + first * panel.Width, from = w + panel.Group * groupStep + panel.First * channelStep;
            if (first == 0)
            {
                new Span<T>(to, panel.Width).Clear();
                new Span<T>(bias + panel.Group * panels.Channels + panel.First, panel.Live).CopyTo(new(to, panel.Live));
            }
            to += panel.Width;
            if (panel.Live < panel.Width)
                new Span<T>(to, panel.Width * count).Clear();
            if (places == null)
                Transpose.ToPixels(from + first, channelStep, to, panel.Width, panel.Live, count);
            else
                for (int tap = first; tap < first + count; tap++, to += panel.Width)
                    for (int c = 0; c < panel.Live; c++)
                        to[c] = from[places[tap] + c * channelStep];
        }
    }
}
