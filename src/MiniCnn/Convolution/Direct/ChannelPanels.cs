using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Some channels of y: a tile's vectors.</summary>
/// <param name="Group">Their group.</param>
/// <param name="First">The first of them in the group.</param>
/// <param name="Live">How many there are.</param>
/// <param name="Width">Numbers of the vectors; the last ones may hold no channel.</param>
/// <param name="Place">Numbers that the panels before this one have for one tap.</param>
readonly record struct ChannelPanel(int Group, int First, int Live, int Width, nint Place);

/// <summary>The channels of groups of y, cut into panels of as many vectors as a tile is wide.</summary>
readonly record struct ChannelPanels(int Groups, int Channels, int Vector)
{
    /// <summary>
    /// Whether images one by one, of so many channels in a group, are run so. Not where rows are long and vectors of channels few: vectors along a row
    /// then leave little of it, read each pixel for eight channels at once, and need not be turned.
    /// </summary>
    public static bool Suit<T>(LaneTensor<T> images, int channels, int columns) where T : unmanaged =>
        images.Lanes == 1 && channels >= 4 && VectorFor(images, channels) is > 1 and int vector && columns <= 32 * ((channels + vector - 1L) / vector);

    /// <summary>For y's channels.</summary>
    public static ChannelPanels Of<T>(LaneTensor<T> y, int groups) where T : unmanaged =>
        new(groups, y.Shape.Channels / groups, VectorFor(y, y.Shape.Channels / groups));

    // The narrowest vector that holds all channels of a group, else the widest.
    static int VectorFor<T>(LaneTensor<T> images, int channels) where T : unmanaged =>
        Simd.Vector(images, (int)BitOperations.RoundUpToPowerOf2((uint)channels));

    /// <summary>The registers' tiles.</summary>
    public Tiles Tile => new(Vector, 1);

    /// <summary>Numbers of the widest panel.</summary>
    // 6 pixels × 4 vectors load 10 times for 24 multiply-adds, 12 × 2 would 14 times; with 16 registers 6 × 2 is widest, 8 times for 12.
    public int Width => Math.Min(Vectors, Vector == 16 ? 4 : 2) * Vector;

    /// <summary>Panels of all groups.</summary>
    public int Count => Groups * InGroup;

    int Vectors => (Channels + Vector - 1) / Vector;

    int InGroup => (Vectors * Vector + Width - 1) / Width;

    /// <summary>A panel, counted over the groups.</summary>
    public ChannelPanel At(int panel)
    {
        (int group, panel) = Math.DivRem(panel, InGroup);
        int first = Vectors * panel / InGroup * Vector, end = Vectors * (panel + 1) / InGroup * Vector;
        return new(group, first, Math.Min(end, Channels) - first, end - first, (nint)group * Vectors * Vector + first);
    }

    /// <summary>Numbers that <see cref="Pack"/> needs for so many taps.</summary>
    public int PackedLength(int taps) => checked(Groups * Vectors * Vector * (taps + 1) + LaneTensor<float>.FullLanes);

    /// <summary>
    /// Lays out bias and weights by panels, in every call, for a user may have changed them: [channel], then [tap][channel]. Tap t of channel c of group g
    /// has the weight w[g · groupStep + c · channelStep + places[t]]; without places, + t.
    /// </summary>
    /// <returns>Where they begin in the memory: on a cache line's boundary, for vectors that lie across two lines take twice as long.</returns>
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
