using System.Buffers.Binary;
using System.Text;

namespace MiniCnn.Tests;

/// <summary>Damages valid files.</summary>
static class MutatedFiles
{
    static readonly uint[] numbers = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];
    static readonly string[] texts = ["99999999999", "-1", "0", "#", "\n", " 1 ", "65536"];

    /// <summary>Returns one of the files with one to four random changes. The result depends only on the number.</summary>
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
