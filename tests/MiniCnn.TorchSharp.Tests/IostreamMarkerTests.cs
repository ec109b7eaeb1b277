using System.Buffers.Binary;
using MiniCnn.Interop;

namespace MiniCnn.Tests;

/// <summary>The edit of TorchSharp's library for Linux, on its real file and on damaged ones.</summary>
public sealed class IostreamMarkerTests
{
    static readonly byte[] library = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so"));
    static readonly int[] changed = Differences(library, IostreamMarker.Weaken(library)!);    // of the version, of the symbol; in the file's order

    [Fact]
    public void Two_bytes_change_the_symbols_binding_and_the_versions_flags()
    {
        byte[] weak = IostreamMarker.Weaken(library)!;
        Assert.Equal(library.Length, weak.Length);
        Assert.Equal(2, changed.Length);
        (int binding, int flags) = (changed[0], changed[1]);

        // .dynsym: name, info; weak, function.
        Assert.Equal((0x12, 0x22), (library[binding], weak[binding]));
        // .gnu.version_r: hash, flags.
        Assert.Equal(0x0297F842u, BinaryPrimitives.ReadUInt32LittleEndian(weak.AsSpan(flags - 4)));
        Assert.Equal((0, 2), (library[flags], weak[flags]));
    }

    [Fact]
    public void A_weak_reference_stays() => Assert.Null(IostreamMarker.Weaken(IostreamMarker.Weaken(library)));

    [Fact]
    public void Other_files_are_left_alone()
    {
        string other = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libc10.so");
        Assert.Null(IostreamMarker.Weaken(File.ReadAllBytes(other)));
        Assert.Null(IostreamMarker.Weaken(File.ReadAllBytes(typeof(IostreamMarkerTests).Assembly.Location)));
        Assert.Null(IostreamMarker.Weaken([]));
    }

    [Theory]
    [InlineData(0, 0x7E), InlineData(4, 1), InlineData(5, 2)]    // magic; 32-bit; big-endian
    public void Another_kind_of_file_is_left_alone(int at, byte value) => Assert.Null(WeakenWith(at, value));

    [Fact]
    public void Another_name_of_the_symbol_or_of_the_version_is_left_alone()
    {
        Assert.Null(WeakenWith(library.AsSpan().IndexOf("_ZSt21ios_base_library_initv\0"u8) + 27, (byte)'w'));
        Assert.Null(WeakenWith(library.AsSpan().IndexOf("GLIBCXX_3.4.32\0"u8) + 13, (byte)'3'));
    }

    [Fact]
    public void A_second_symbol_of_that_version_is_not_weakened()
    {
        // .gnu.version, behind .dynsym and .dynstr, has two bytes a symbol.
        byte version = library[VersionOf(SymbolIndex)];
        Assert.Null(WeakenWith(VersionOf(SymbolIndex + 1), version));
        Assert.Null(WeakenWith(VersionOf(SymbolIndex - 1), version));
    }

    [Fact]
    public void A_symbol_that_is_used_or_defined_is_not_weakened()
    {
        // .rela.plt's last entry: the symbol is the upper half of the info, 8 bytes in.
        ulong[] section = Section(".rela.plt");
        byte[] used = [.. library];
        BinaryPrimitives.WriteInt32LittleEndian(used.AsSpan((int)(section[0] + section[1]) - 24 + 12), SymbolIndex);
        Assert.Null(IostreamMarker.Weaken(used));
        Assert.Null(WeakenWith(changed[0] + 2, 1));    // in section 1
    }

    [Fact]
    public void A_file_that_ends_anywhere_is_left_alone()
    {
        for (int length = 0; length < library.Length; length += length < 5000 ? 1 : 4999)
            Assert.Null(IostreamMarker.Weaken(library.AsSpan(0, length)));
    }

    [Fact]
    public void Damaged_files_are_left_alone_or_two_bytes_change()
    {
        (int headers, int weakened) = ((int)BinaryPrimitives.ReadUInt64LittleEndian(library.AsSpan(0x28)), 0);
        (int At, int Length)[] places = [(0, 64), (headers, 10 * 64), (changed[0] - 500, 1000), (changed[1] - 400, 600), (0, library.Length)];
        byte[] damaged = [.. library];
        for (int seed = 0; seed < 500; seed++)
        {
            Random random = new(seed);
            (int start, int length) = places[seed % places.Length];
            int[] at = [.. Enumerable.Range(0, random.Next(1, 17)).Select(_ => start + random.Next(length))];
            foreach (int place in at)
                damaged[place] = random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(256) };
            if (IostreamMarker.Weaken(damaged) is byte[] weak)
            {
                weakened++;
                Assert.InRange(Differences(damaged, weak).Length, 1, 2);
            }
            foreach (int place in at)
                damaged[place] = library[place];
        }
        Assert.InRange(weakened, 100, 400);
    }

    static int SymbolIndex => (int)(changed[0] - (int)Section(".dynsym")[0]) / 24;

    static int VersionOf(int symbol) => (int)Section(".gnu.version")[0] + 2 * symbol;

    /// <summary>The offset and size of a section, looked up by its name.</summary>
    static ulong[] Section(string name)
    {
        int headers = (int)BinaryPrimitives.ReadUInt64LittleEndian(library.AsSpan(0x28));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(library.AsSpan(0x3C)), names = BinaryPrimitives.ReadUInt16LittleEndian(library.AsSpan(0x3E));
        ulong Field(int section, int at) => BinaryPrimitives.ReadUInt64LittleEndian(library.AsSpan(headers + 64 * section + at));
        string NameOf(int section)
        {
            ReadOnlySpan<byte> text = library.AsSpan((int)Field(names, 24) + (int)(uint)Field(section, 0));
            return System.Text.Encoding.ASCII.GetString(text[..text.IndexOf((byte)0)]);
        }
        int found = Enumerable.Range(0, count).Single(section => NameOf(section) == name);
        return [Field(found, 24), Field(found, 32)];
    }

    static byte[]? WeakenWith(int at, byte value)
    {
        byte[] file = [.. library];
        Assert.NotEqual(value, file[at]);
        file[at] = value;
        return IostreamMarker.Weaken(file);
    }

    static int[] Differences(byte[] one, byte[] other)
    {
        List<int> differences = new();
        for (int at = 0; (at += one.AsSpan(at).CommonPrefixLength(other.AsSpan(at))) < one.Length; at++)
            differences.Add(at);
        return [.. differences];
    }
}
