using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>An elementwise formula. Run computes the elements i … i + V.Count − 1.</summary>
interface IElementWork
{
    void Run<V>(int i) where V : struct, ILanes<V, float>;
}

/// <summary>Runs a formula on all elements of a parameter. The elements are divided into pieces, which run in parallel.</summary>
static class Elements
{
    public const int Piece = 16384;                                    // elements per work item

    public static int Pieces(int length) => (length + Piece - 1) / Piece;

    public static void Run<W>(int length, in W work) where W : struct, IElementWork => Simd.Run(Pieces(length), new OnePiece<W>(work, length));

    readonly struct OnePiece<W>(W work, int length) : ILaneWork<float> where W : struct, IElementWork
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int piece) where V : struct, ILanes<V, float>
        {
            int i = piece * Piece, end = Math.Min(length, i + Piece);
            for (; i <= end - V.Count; i += V.Count)
                work.Run<V>(i);
            for (; i < end; i++)
                work.Run<Scalar<float>>(i);
        }
    }
}
