using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace MiniCnn;

/// <summary>Transposes between pixels, which hold one number of each image, and rows, which hold the numbers of one image: rows[i, p] = pixels[p, i].</summary>
static unsafe class Transpose
{
    /// <summary>Copies rows[i, p] at i·rowStep + p to pixels[p, i] at p·pixelStep + i, for p &lt; count and i &lt; images.</summary>
    public static void ToPixels<T>(T* rows, nint rowStep, T* pixels, nint pixelStep, int images, int count) where T : unmanaged =>
        Run(rows, rowStep, pixels, pixelStep, images, count);

    /// <summary>Copies pixels[p, i] at p·pixelStep + i to rows[i, p] at i·rowStep + p, for p &lt; count and i &lt; images.</summary>
    public static void ToRows<T>(T* pixels, nint pixelStep, T* rows, nint rowStep, int images, int count) where T : unmanaged =>
        Run(pixels, pixelStep, rows, rowStep, count, images);

    /// <summary>to[c, r] at c·toStep + r = from[r, c] at r·fromStep + c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Run<T>(T* from, nint fromStep, T* to, nint toStep, int rows, int columns) where T : unmanaged
    {
        if (rows == 1 || columns == 1)
        {
            if (rows == 1 ? toStep == 1 : fromStep == 1)
                new Span<T>(from, rows * columns).CopyTo(new(to, rows * columns));
            else
                for (int i = 0; i < rows * columns; i++)
                    to[rows == 1 ? i * toStep : i] = from[rows == 1 ? i : i * fromStep];
            return;
        }
        if (typeof(T) != typeof(float) || !Vector128.IsHardwareAccelerated || rows < 4 || columns < 4)
        {
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++)
                    to[c * toStep + r] = from[r * fromStep + c];
            return;
        }
        int high = Avx.IsSupported && rows >= 8 ? 8 : 4;
        for (int line = 0; line < columns; line += 16)                   // a cache line of every row
            for (int i = 0; i < rows; i += high)
            {
                int r = Math.Min(i, rows - high), end = Math.Min(line + 16, columns);         // the last block overlaps the one before it
                for (int j = line; j < end; j += 4)
                {
                    int c = Math.Min(j, columns - 4);
                    float* f = (float*)(from + r * fromStep + c), t = (float*)(to + c * toStep + r);
                    if (high == 8)
                        EightRows(f, fromStep, t, toStep);
                    else
                        FourRows(f, fromStep, t, toStep);
                }
            }
    }

    /// <summary>Transposes four columns of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void FourRows(float* from, nint fromStep, float* to, nint toStep)
    {
        Vector128<float> a = Vector128.Load(from), b = Vector128.Load(from + fromStep);
        Vector128<float> c = Vector128.Load(from + 2 * fromStep), d = Vector128.Load(from + 3 * fromStep);
        Vector128<float> acLow = ZipLow(a, c), acHigh = ZipHigh(a, c), bdLow = ZipLow(b, d), bdHigh = ZipHigh(b, d);
        ZipLow(acLow, bdLow).Store(to);
        ZipHigh(acLow, bdLow).Store(to + toStep);
        ZipLow(acHigh, bdHigh).Store(to + 2 * toStep);
        ZipHigh(acHigh, bdHigh).Store(to + 3 * toStep);
    }

    /// <summary>Transposes four columns of eight rows. Each vector holds row r in its lower half and row r + 4 in its upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void EightRows(float* from, nint fromStep, float* to, nint toStep)
    {
        Vector256<float> a = Rows2(from, 4 * fromStep), b = Rows2(from + fromStep, 4 * fromStep);
        Vector256<float> c = Rows2(from + 2 * fromStep, 4 * fromStep), d = Rows2(from + 3 * fromStep, 4 * fromStep);
        Vector256<float> acLow = Avx.UnpackLow(a, c), acHigh = Avx.UnpackHigh(a, c), bdLow = Avx.UnpackLow(b, d), bdHigh = Avx.UnpackHigh(b, d);
        Avx.UnpackLow(acLow, bdLow).Store(to);
        Avx.UnpackHigh(acLow, bdLow).Store(to + toStep);
        Avx.UnpackLow(acHigh, bdHigh).Store(to + 2 * toStep);
        Avx.UnpackHigh(acHigh, bdHigh).Store(to + 3 * toStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Rows2(float* from, nint step) => Vector256.Create(Vector128.Load(from), Vector128.Load(from + step));

    /// <summary>a0 b0 a1 b1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>a2 b2 a3 b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);

    /// <summary>a0 a2 b1 b3: every second of seven contiguous numbers, if b starts three numbers after a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Alternate(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.Shuffle(a, b, 0b11_01_10_00) : Vector128.Create(a[0], a[2], b[1], b[3]);
}
