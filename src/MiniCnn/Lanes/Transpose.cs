using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace MiniCnn;

/// <summary>Between pixels, a number from each image, and rows, the numbers of one image: rows[i, p] = pixels[p, i].</summary>
static unsafe class Transpose
{
    /// <summary>rows[i, p] at i·rowStep + p becomes pixels[p, i] at p·pixelStep + i, for count p and so many images i.</summary>
    public static void ToPixels<T>(T* rows, nint rowStep, T* pixels, nint pixelStep, int images, int count) where T : unmanaged =>
        Run(rows, 1, rowStep, pixels, pixelStep, 1, images, count);

    /// <summary>The other way round.</summary>
    public static void ToRows<T>(T* pixels, nint pixelStep, T* rows, nint rowStep, int images, int count) where T : unmanaged =>
        Run(pixels, pixelStep, 1, rows, 1, rowStep, images, count);

    /// <summary>to[i, p] = from[i, p]; on one side the pixels have step 1, on the other one the images.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Run<T>(T* from, nint fromPixel, nint fromImage, T* to, nint toPixel, nint toImage, int images, int count) where T : unmanaged
    {
        if (images == 1 && fromPixel == 1 && toPixel == 1)
        {
            new Span<T>(from, count).CopyTo(new(to, count));
            return;
        }
        if (typeof(T) != typeof(float) || !Vector128.IsHardwareAccelerated || images < 4 || count < 4)
        {
            for (int p = 0; p < count; p++)
                for (int i = 0; i < images; i++)
                    to[p * toPixel + i * toImage] = from[p * fromPixel + i * fromImage];
            return;
        }
        nint fromStep = fromPixel == 1 ? fromImage : fromPixel, toStep = toPixel == 1 ? toImage : toPixel;
        for (int first = 0; first < count; first += 16)                  // a cache line of every row
            for (int i = 0; i < images; i += 4)
            {
                int image = Math.Min(i, images - 4), left = Math.Min(16, count - first);         // the last block overlaps the one before it
                float* f = (float*)(from + first * fromPixel + image * fromImage), t = (float*)(to + first * toPixel + image * toImage);
                for (; left >= 4; left -= 4, f += 4 * fromPixel, t += 4 * toPixel)
                    Block(f, fromStep, t, toStep);
                if (left > 0)
                    Block(f - (4 - left) * fromPixel, fromStep, t - (4 - left) * toPixel, toStep);
            }
    }

    /// <summary>Four by four numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Block(float* from, nint fromStep, float* to, nint toStep)
    {
        Vector128<float> a = Vector128.Load(from), b = Vector128.Load(from + fromStep);
        Vector128<float> c = Vector128.Load(from + 2 * fromStep), d = Vector128.Load(from + 3 * fromStep);
        Vector128<float> acLow = ZipLow(a, c), acHigh = ZipHigh(a, c), bdLow = ZipLow(b, d), bdHigh = ZipHigh(b, d);
        ZipLow(acLow, bdLow).Store(to);
        ZipHigh(acLow, bdLow).Store(to + toStep);
        ZipLow(acHigh, bdHigh).Store(to + 2 * toStep);
        ZipHigh(acHigh, bdHigh).Store(to + 3 * toStep);
    }

    /// <summary>a0 b0 a1 b1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>a2 b2 a3 b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);

    /// <summary>a0 a2 b1 b3: every other number of seven, b being three behind a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Alternate(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.Shuffle(a, b, 0b11_01_10_00) : Vector128.Create(a[0], a[2], b[1], b[3]);
}
