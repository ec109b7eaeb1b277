using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Valid files with something wrong in them: a decoder makes a picture of each or refuses it, and takes no more memory than it may.</summary>
static class MutatedFiles
{
    static readonly uint[] numbers = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];
    static readonly string[] texts = ["99999999999", "-1", "0", "#", "\n", " 1 ", "65536"];

    /// <summary>
    /// Decodes MINICNN_FUZZ (2,000) mutations, each a function of its number alone, and says how many were pictures. Anything thrown but
    /// <see cref="PictureFormatException"/> fails, and so does more memory than a MiB and so many bytes for each of the file.
    /// </summary>
    /// <param name="files">The valid files, small ones.</param>
    /// <param name="read">Decodes a file.</param>
    /// <param name="repair">Makes check sums right again; done to every other file, that what is behind them is reached.</param>
    /// <param name="memoryPerByte">Bytes that may be taken for each byte of a file.</param>
    public static int Decode(IReadOnlyList<byte[]> files, Func<byte[], Picture> read, Action<byte[]>? repair = null, int memoryPerByte = 1000)
    {
        Assert.All(files, file => read(file));
        int count = int.Parse(Environment.GetEnvironmentVariable("MINICNN_FUZZ") ?? "2000", CultureInfo.InvariantCulture), pictures = 0;
        for (int number = 0; number < count; number++)
        {
            byte[] file = Mutate(files, number);
            if (number % 2 == 1)
                repair?.Invoke(file);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Picture picture = read(file);
                Assert.Equal((long)picture.Width * picture.Height * picture.Channels, picture.Pixels.Length);
                pictures++;
            }
            catch (PictureFormatException refused)
            {
                Assert.False(string.IsNullOrEmpty(refused.Message) || refused.Message.Contains('\n'), $"mutation {number}: “{refused.Message}”");
            }
            catch (Exception e)
            {
                Assert.Fail($"mutation {number}, {file.Length} bytes: {e}");
            }
            long memory = GC.GetAllocatedBytesForCurrentThread() - before, most = (1 << 20) + (long)memoryPerByte * file.Length;
            Assert.True(memory <= most, $"mutation {number}: {memory} bytes of memory for {file.Length} of the file; {most} at most");
        }
        Assert.InRange(pictures, 1, count - 1);
        return pictures;
    }

    /// <summary>One of the files with one to four things wrong, a function of the number alone.</summary>
    public static byte[] Mutate(IReadOnlyList<byte[]> files, int number)
    {
        Random random = new(number);
        List<byte> file = [.. files[random.Next(files.Count)]];
        for (int left = random.Next(2) == 0 ? 1 : 2 + random.Next(3); left > 0 && file.Count > 0; left--)
        {
            int at = random.Next(random.Next(2) == 0 ? Math.Min(64, file.Count) : file.Count);    // half of them in the header
            int length = Math.Min(1 + random.Next(random.Next(2) == 0 ? 8 : 200), file.Count - at);
            switch (random.Next(12))
            {
                case 0 or 10: file[at] ^= (byte)(1 << random.Next(8)); break;
                case 1 or 11: file[at] = (byte)random.Next(256); break;
                case 2: file[at] = (byte)numbers[random.Next(numbers.Length)]; break;
                case 3: Overwrite(Number(random)); break;
                case 4: file.RemoveRange(at, file.Count - at); break;
                case 5: file.RemoveRange(at, length); break;
                case 6: file.InsertRange(at, file.GetRange(at, length)); break;
                case 7: file.InsertRange(at, Encoding.ASCII.GetBytes(texts[random.Next(texts.Length)])); break;
                case 8:
                    byte[] noise = new byte[length];
                    random.NextBytes(noise);
                    file.InsertRange(at, noise);
                    break;
                default:
                    byte[] other = files[random.Next(files.Count)];
                    int from = random.Next(other.Length);
                    Overwrite(other[from..Math.Min(from + length, other.Length)]);
                    break;
            }

            void Overwrite(byte[] bytes)
            {
                for (int i = 0; i < bytes.Length && at + i < file.Count; i++)
                    file[at + i] = bytes[i];
            }
        }
        return [.. file];
    }

    // A size or length that is odd, in two or four bytes, in either order.
    static byte[] Number(Random random)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, numbers[random.Next(numbers.Length)]);
        if (random.Next(2) == 0) bytes = bytes[2..];
        if (random.Next(2) == 0) Array.Reverse(bytes);
        return bytes;
    }
}
