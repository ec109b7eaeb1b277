using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MiniCnn;

/// <summary>
/// Philox4x32-10, a counter-based random number generator: each word is a pure function of seed, purpose, step, image and element. It has no state, and
/// the words can be computed in any order.
/// </summary>
/// <remarks>Source: Salmon, Moraes, Dror, Shaw, “Parallel Random Numbers: As Easy as 1, 2, 3”, SC 2011.</remarks>
/// <param name="seed">The user's seed.</param>
/// <param name="purpose">Number that separates streams with the same seed, such as one derived from the position of a layer.</param>
/// <param name="step">The training step.</param>
readonly unsafe struct Philox(int seed, uint purpose, int step)
{
    const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57, Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;

    /// <summary>
    /// Computes the words of the elements 4·block + i, i = 0 … 3, of the images first + image, image = 0 … images − 1: words[i · images + image].
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Words(int block, int first, int images, uint* words)
    {
        int image = 0, vector = Vector256<uint>.Count;
        Vector256<ulong> draw = Vector256.Create((ulong)block);
        for (; Avx2.IsSupported && image + vector <= images; image += vector)
        {
            Vector256<ulong> sample = Vector256<ulong>.Indices + Vector256.Create((ulong)(first + image));
            (Vector256<ulong> a0, Vector256<ulong> a1, Vector256<ulong> a2, Vector256<ulong> a3) = Block(draw, sample);
            (Vector256<ulong> b0, Vector256<ulong> b1, Vector256<ulong> b2, Vector256<ulong> b3) = Block(draw, sample + Vector256.Create((ulong)vector / 2));
            Vector256.Narrow(a0, b0).Store(words + image);
            Vector256.Narrow(a1, b1).Store(words + images + image);
            Vector256.Narrow(a2, b2).Store(words + 2 * images + image);
            Vector256.Narrow(a3, b3).Store(words + 3 * images + image);
        }
        for (; image < images; image++)
        {
            (words[image], words[images + image], words[2 * images + image], words[3 * images + image]) =
                Block((uint)block, (uint)(first + image), (uint)step, purpose, (uint)seed, 0);
        }
    }

    /// <summary>Computes the words of the elements 4·first … 4·(first + draws) − 1 of one image, in this order. Each draw gives four words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Draws(int first, int draws, int image, uint* words)
    {
        int draw = 0, vector = Vector256<ulong>.Count;
        Vector256<ulong> low = Vector256.Create((ulong)uint.MaxValue);
        for (; Avx2.IsSupported && draw + vector <= draws; draw += vector, words += 4 * vector)
        {
            Vector256<ulong> block = Vector256<ulong>.Indices + Vector256.Create((ulong)(first + draw));
            (Vector256<ulong> a, Vector256<ulong> b, Vector256<ulong> c, Vector256<ulong> d) = Block(block, Vector256.Create((ulong)image));
            Vector256<ulong> ab = a & low | b << 32, cd = c & low | d << 32;
            Vector256<ulong> even = Avx2.UnpackLow(ab, cd), odd = Avx2.UnpackHigh(ab, cd);                // draws 0 and 2, 1 and 3
            even.GetLower().AsUInt32().Store(words);
            odd.GetLower().AsUInt32().Store(words + 4);
            even.GetUpper().AsUInt32().Store(words + 8);
            odd.GetUpper().AsUInt32().Store(words + 12);
        }
        for (; draw < draws; draw++, words += 4)
            (words[0], words[1], words[2], words[3]) = Block((uint)(first + draw), (uint)image, (uint)step, purpose, (uint)seed, 0);
    }

    /// <summary>Computes four words from a 128-bit counter and a 64-bit key.</summary>
    internal static (uint, uint, uint, uint) Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0, p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            (k0, k1) = (k0 + Weyl0, k1 + Weyl1);
        }
        return (c0, c1, c2, c3);
    }

    /// <summary>Computes the same for a vector of draws. Each word is in the low half of a 64-bit element; the high halves are undefined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    (Vector256<ulong>, Vector256<ulong>, Vector256<ulong>, Vector256<ulong>) Block(Vector256<ulong> block, Vector256<ulong> sample)
    {
        Vector256<ulong> c0 = block, c1 = sample, c2 = Vector256.Create((ulong)(uint)step), c3 = Vector256.Create((ulong)purpose);
        uint k0 = (uint)seed, k1 = 0;
        for (int round = 0; round < 10; round++)
        {
            Vector256<ulong> p0 = Multiply(c0, Multiplier0), p1 = Multiply(c2, Multiplier1);
            (c0, c1, c2, c3) = ((p1 >>> 32) ^ c1 ^ Vector256.Create((ulong)k0), p1, (p0 >>> 32) ^ c3 ^ Vector256.Create((ulong)k1), p0);
            (k0, k1) = (k0 + Weyl0, k1 + Weyl1);
        }
        return (c0, c1, c2, c3);
    }

    /// <summary>Computes the 64-bit products of the low halves of a and b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<ulong> Multiply(Vector256<ulong> a, uint b) => Avx2.Multiply(a.AsUInt32(), Vector256.Create(b));
}
