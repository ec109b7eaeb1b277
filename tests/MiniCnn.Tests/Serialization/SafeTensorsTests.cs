using System.Buffers.Binary;
using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using Entry = MiniCnn.SafeTensors.Entry;

namespace MiniCnn.Tests;

public sealed class SafeTensorsTests : FolderTests
{
    static Dictionary<string, Entry> Sample => new()
    {
        ["3.weight"] = Entry.From<float>([1, -2.5f, float.NaN, 4, 5, 6], 3, 2),
        ["num_batches_tracked"] = Entry.From([1L << 40]),
        ["empty"] = Entry.From<double>([], 0, 7),
        ["bytes"] = Entry.From<byte>([1, 2, 3], 3),
        ["ünïcode \"quoted\"\n"] = Entry.From<Half>([(Half)0.5f], 1, 1),
    };

    [Fact]
    public void What_is_written_is_read_again()
    {
        SafeTensors.Write(PathOf("a"), Sample, new Dictionary<string, string> { ["net"] = "{\"a\": [1]}", ["ä"] = "ö\n" });
        var file = SafeTensors.Read(PathOf("a"));

        Assert.Equal(Sample.Keys.Order(), file.Tensors.Keys.Order());
        foreach (var (name, entry) in Sample)
        {
            Assert.Equal(entry.Type, file.Tensors[name].Type);
            Assert.Equal(entry.Shape.ToArray(), file.Tensors[name].Shape.ToArray());
            Assert.Equal(entry.Data.ToArray(), file.Tensors[name].Data.ToArray());
        }
        Assert.Equal([1, -2.5f, float.NaN, 4, 5, 6], file.Tensors["3.weight"].As<float>().ToArray());
        Assert.Equal([3L, 2L], file.Tensors["3.weight"].Shape.ToArray());
        Assert.Equal([1L << 40], file.Tensors["num_batches_tracked"].As<long>().ToArray());
        Assert.Empty(file.Tensors["num_batches_tracked"].Shape);
        Assert.Equal("{\"a\": [1]}", file.Metadata["net"]);
        Assert.Equal("ö\n", file.Metadata["ä"]);
    }

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        Entry bytes = Entry.From<byte>([9], 1), floats = Entry.From<float>([1, 2], 2), number = Entry.From([-1L]);
        SafeTensors.Write(PathOf("a"), [new("b", floats), new("a", bytes), new("c", number)]);

        // Names in ordinal order; wide elements first, so that each tensor is aligned; the header padded to 8.
        string header = """{"a":{"dtype":"U8","shape":[1],"data_offsets":[16,17]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}"""
            + ""","c":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}""";
        byte[] data = [255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 9];
        Assert.NotEqual(0, header.Length % 8);
        Assert.Equal(Bytes(header.PadRight((header.Length + 7) / 8 * 8), data), File.ReadAllBytes(PathOf("a")));
    }

    [Fact]
    public void The_order_of_tensors_and_metadata_does_not_change_the_bytes()
    {
        Dictionary<string, string> metadata = new() { ["b"] = "1", ["a"] = "2" };
        SafeTensors.Write(PathOf("a"), Sample, metadata);
        SafeTensors.Write(PathOf("b"), Sample.Reverse(), metadata.Reverse());
        Assert.Equal(File.ReadAllBytes(PathOf("a")), File.ReadAllBytes(PathOf("b")));
    }

    [Fact]
    public void An_entry_is_a_row_major_copy_of_any_tensor()
    {
        var tensor = Tensor.Create([1f, 2, 3, 4, 5, 6], [2, 1, 3]);
        Assert.Equal([1, 2, 3, 4, 5, 6], Entry.From(tensor).As<float>().ToArray());
        Assert.Equal([2L, 1, 3], Entry.From(tensor).Shape.ToArray());

        var turned = Entry.From(Tensor.PermuteDimensions(tensor, [2, 1, 0]));
        Assert.Equal([1, 4, 2, 5, 3, 6], turned.As<float>().ToArray());
        Assert.Equal([3L, 1, 2], turned.Shape.ToArray());

        Assert.Equal([0L, 3], Entry.From(Tensor.CreateFromShape<float>([0, 3])).Shape.ToArray());
    }

    [Fact]
    public void An_entry_refuses_another_type_and_a_wrong_shape()
    {
        var fault = Assert.Throws<InvalidDataException>(() => Entry.From<double>([1, 2], 2).As<float>().ToArray());
        Assert.Equal("expected elements of type F32, the tensor F64 [2] has F64", fault.Message);
        Assert.Throws<ArgumentException>(() => Entry.From<float>([1, 2, 3], 2, 2));
        Assert.Throws<ArgumentException>(() => new Entry("F31", [1], new byte[4]));
        Assert.Throws<NotSupportedException>(() => Entry.From<char>(['a'], 1));
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_file_and_nothing_else()
    {
        File.WriteAllText(PathOf("a"), "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(PathOf("a"), stream =>
        {
            stream.Write(new byte[100_000]);
            throw new InvalidOperationException();
        }));
        foreach (string[] names in (string[][])[["twice", "twice"], ["__metadata__"], ["half a pair: \uD800"]])
        {
            var tensors = names.Select(n => KeyValuePair.Create(n, Entry.From([1L])));
            Assert.Throws<ArgumentException>(() => SafeTensors.Write(PathOf("a"), tensors));
        }
        Assert.Equal("old", File.ReadAllText(PathOf("a")));
        Assert.Equal([PathOf("a")], Directory.GetFileSystemEntries(folder));

        SafeTensors.Write(PathOf("a"), []);
        Assert.Empty(SafeTensors.Read(PathOf("a")).Tensors);
        Assert.Equal([PathOf("a")], Directory.GetFileSystemEntries(folder));
    }

    const string A = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""";

    [Theory]
    // the header as a whole
    [InlineData("", "does not start with '{'")]
    [InlineData(" {}", "does not start with '{'")]
    [InlineData("[]", "does not start with '{'")]
    [InlineData("{", "not JSON")]
    [InlineData("{}{}", "not JSON")]
    [InlineData("{} x", "not JSON")]
    [InlineData("{\"a\":1}", "tensor 'a': expected an object")]
    [InlineData(A + ",}", "not JSON")]
    [InlineData(A + ""","a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", "tensor 'a': occurs twice")]
    [InlineData(A + ""","\u0061":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", "tensor 'a': occurs twice")]
    [InlineData("""{"\ud800":{}}""", "not JSON")]
    [InlineData("""{"a\nb":1}""", "tensor 'a b': expected an object")]
    // metadata
    [InlineData("""{"__metadata__":[]}""", "'__metadata__': expected an object")]
    [InlineData("""{"__metadata__":{"a":1}}""", "'__metadata__': expected text for 'a'")]
    [InlineData("""{"__metadata__":{"a":null}}""", "'__metadata__': expected text for 'a'")]
    [InlineData("""{"__metadata__":{"a":"1","a":"1"}}""", "'a' occurs twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", "'__metadata__': occurs twice")]
    // a tensor's fields
    [InlineData("""{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}""", "tensor 'a': unknown dtype 'F31'")]
    [InlineData("""{"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}}""", "tensor 'a': expected text for 'dtype'")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", "tensor 'a': expected a list for 'shape'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "tensor 'a': expected whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}}""", "tensor 'a': expected whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}""", "tensor 'a': expected whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", "tensor 'a': expected whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}""", "tensor 'a': expected whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]}}""", "'a': the shape's product overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}}""", "'a': the shape's product overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "tensor 'a': F32 [3] needs 12 bytes, but the data have 8")]
    [InlineData("""{"a":{"dtype":"F64","shape":[],"data_offsets":[0,4]}}""", "tensor 'a': F64 [] needs 8 bytes, but the data have 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "tensor 'a': expected two ascending numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", "tensor 'a': expected two ascending numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "tensor 'a': expected two ascending numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "tensor 'a': expected 'dtype', 'shape' and 'data_offsets'")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "tensor 'a': the field 'dtype'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"strides":[1]}}""", "tensor 'a': the field 'strides'")]
    // the layout of the data
    [InlineData("{}", "8 bytes after the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes after the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "tensor 'a': begins at 4 and leaves a gap after 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "tensor 'a': ends at 12, past the end")]
    [InlineData(A + ""","b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "tensor 'b': begins at 4 and overlaps")]
    [InlineData(A + ""","b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "tensor 'b': begins at 0 and overlaps")]
    [InlineData(A + ""","b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}""", "tensor 'b': begins at 4 and overlaps")]
    [InlineData(A + ""","b":{"dtype":"F32","shape":[0],"data_offsets":[9,9]}}""", "tensor 'b': begins at 9 and leaves a gap")]
    public void A_faulty_header_is_one_clear_line(string header, string expected) => Refused(Bytes(header, new byte[8]), expected);

    [Fact]
    public void A_faulty_frame_is_one_clear_line()
    {
        byte[] whole = Bytes(A + "}", new byte[8]);
        Refused([], "not a safetensors file: 0 bytes");
        Refused(whole[..7], "not a safetensors file: 7 bytes");
        Refused(whole[..20], "truncated");
        Refused(whole[..^1], "tensor 'a': ends at 8, past the end");
        Refused([.. whole, 0], "1 bytes after the last tensor");
        Refused([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, .. whole[8..]], "a header of 18446744073709551615 bytes, over the limit");
        Refused([0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, .. whole[8..]], "a header of 100000001 bytes, over the limit");
        Refused([0x00, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, .. whole[8..]], "truncated: a header of 100000000 bytes");
        whole[10] = 0xC0;
        Refused(whole, "the header is not UTF-8");
        Refused(Bytes("{\"" + new string('n', 100_000) + "\":[]}", []), "expected an object");
    }

    [Fact]
    public void Every_order_of_the_data_is_read()
    {
        File.WriteAllBytes(PathOf("a"), Bytes(
            """{"a":{"data_offsets":[1,5],"dtype":"F32","shape":[1]},"b":{"shape":[1],"dtype":"U8","data_offsets":[0,1]}}""" + "\n ",
            [7, 0, 0, 0x80, 0x3F]));
        var tensors = SafeTensors.Read(PathOf("a")).Tensors;
        Assert.Equal([1f], tensors["a"].As<float>().ToArray());    // not aligned
        Assert.Equal([7], tensors["b"].As<byte>().ToArray());
    }

    [Fact]
    public void Mutated_files_are_tensors_or_one_clear_line()
    {
        SafeTensors.Write(PathOf("a"), Sample, new Dictionary<string, string> { ["net"] = "conv", ["seed"] = "42" });
        byte[] good = File.ReadAllBytes(PathOf("a"));
        var random = new Random(1);
        int count = int.Parse(Environment.GetEnvironmentVariable("MINICNN_FUZZ") ?? "2000", CultureInfo.InvariantCulture), read = 0, refused = 0;
        while (read + refused < count)
        {
            byte[] bytes = Mutate(good, random);
            File.WriteAllBytes(PathOf("a"), bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                foreach (var (_, entry) in SafeTensors.Read(PathOf("a")).Tensors)
                    Assert.Equal(entry.Data.Length, entry.Type is "F32" ? 4 * entry.As<float>().Length : entry.Data.Length);
                read++;
            }
            catch (InvalidDataException fault)
            {
                AssertOneLine(fault.Message);
                refused++;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000 + 40 * bytes.Length);
        }
        Assert.True(read > count / 20 && refused > count / 2, $"{read} read, {refused} refused: the mutations are too harsh or too mild");
    }

    static byte[] Mutate(byte[] good, Random random)
    {
        var bytes = good.ToList();
        for (int changes = random.Next(1, 4); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count), length = random.Next(1, Math.Min(32, bytes.Count - at + 1));
            switch (random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = "0123456789-{}[],:\"\\"u8[random.Next(19)]; break;
                case 3: bytes.RemoveRange(at, length); break;
                case 4: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
                case 5: bytes[random.Next(Math.Min(8, bytes.Count))] = (byte)random.Next(256); break;
                default:    // another digit for a digit: sizes and offsets that nearly fit
                    at = bytes.FindIndex(at, b => b is >= (byte)'0' and <= (byte)'9');
                    if (at >= 0) bytes[at] = (byte)random.Next('0', '9' + 1);
                    break;
            }
        }
        return [.. bytes];
    }

    static byte[] Bytes(string header, byte[] data)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(header), length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, utf8.Length);
        return [.. length, .. utf8, .. data];
    }

    void Refused(byte[] bytes, string expected)
    {
        File.WriteAllBytes(PathOf("a"), bytes);
        var fault = Assert.Throws<InvalidDataException>(() => SafeTensors.Read(PathOf("a")));
        AssertOneLine(fault.Message);
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
    }

    void AssertOneLine(string message)
    {
        Assert.StartsWith(PathOf("a") + ": ", message, StringComparison.Ordinal);
        Assert.DoesNotContain(message, char.IsControl);
        Assert.InRange(message.Length, 0, 2000);
    }
}
