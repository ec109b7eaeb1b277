using System.Globalization;
using Google.Protobuf;
using MiniCnn.OnnxModels;
using MiniCnn.OnnxModels.Format;

namespace MiniCnn.Tests;

/// <summary>Files that somebody made to harm, or that came to harm: a model, or one line that says why not.</summary>
public sealed class HostileFileTests : FolderTests
{
    string Path => PathOf("a.onnx");

    /// <summary>Half have bytes mutated, half what the bytes say, so that what is behind the format is reached; .ci/run has more of them.</summary>
    [Fact]
    public void Mutated_files_are_networks_or_one_line()
    {
        byte[][] good = [.. Directory.GetFiles(System.IO.Path.Combine(AppContext.BaseDirectory, "onnx"), "*.onnx").Order().Select(File.ReadAllBytes), .. Ours()];
        int count = int.Parse(Environment.GetEnvironmentVariable("MINICNN_FUZZ") ?? "3000", CultureInfo.InvariantCulture), networks = 0;
        for (int number = 0; number < count; number++)
        {
            byte[] file = number % 2 == 0 ? MutatedFiles.Mutate(good, number) : WithOtherWords(good[number / 2 % good.Length], number);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                OnnxModel.Read(new MemoryStream(file), Path, null);
                networks++;
            }
            catch (OnnxFormatException fault)
            {
                Assert.DoesNotContain(fault.Message, char.IsControl);
                Assert.InRange(fault.Message.Length, 1, 1500);
            }
            catch (Exception e)
            {
                Assert.Fail($"mutation {number}: {e}");
            }
            long memory = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(memory <= 2_000_000 + 100 * file.Length, $"mutation {number}: {memory} bytes of memory for {file.Length} of the file");
        }
        Assert.InRange(networks, count / 50, count * 9 / 10);
    }

    static IEnumerable<byte[]> Ours()
    {
        string path = System.IO.Path.GetTempFileName();
        Layer network = new Sequential(
            new Conv2d(1, 4, 3, padding: 1, paddingMode: PaddingMode.Reflect), new GroupNorm(2, 4), new SiLU(),
            new Concat(new Identity(), new Sequential(new MaxPool2d(2), new Upsample(2), new GELU())), new AvgPool2d(3, 2, 1, ceilMode: true),
            new ConvTranspose2d(8, 4, 3, 2, 1), new Pad2d(-1), new Flatten(), new Linear(252, 6), new Unflatten(new(6, 1, 1)), new Flatten());
        OnnxModel.Save(network, new(1, 8, 10), path);
        byte[] bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return [bytes];
    }

    /// <summary>Numbers, names, operators and nodes other than they were.</summary>
    static byte[] WithOtherWords(byte[] file, int number)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(file);
        Random random = new(number);
        long[] odd = [0, 1, -1, 2, 3, 7, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue, 1 << 20, 65536];
        long Odd() => odd[random.Next(odd.Length)];
        string[] operators = ["Conv", "Gemm", "Reshape", "Shape", "Concat", "Add", "Mul", "MaxPool", "Flatten", "Slice", "Transpose", "Resize", "Pad", "Softmax", "Gather", "Squeeze", "Unsqueeze", "ConstantOfShape", "LayerNormalization", "nonsense"];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            GraphProto graph = model.Graph;
            NodeProto node = graph.Node[random.Next(graph.Node.Count)], other = graph.Node[random.Next(graph.Node.Count)];
            TensorProto? tensor = graph.Initializer.Count == 0 ? null : graph.Initializer[random.Next(graph.Initializer.Count)];
            AttributeProto? attribute = node.Attribute.Count == 0 ? null : node.Attribute[random.Next(node.Attribute.Count)];
            switch (random.Next(14))
            {
                case 0: node.OpType = operators[random.Next(operators.Length)]; break;
                case 1 when node.Input.Count > 0: node.Input[random.Next(node.Input.Count)] = other.Output[0]; break;
                case 2 when node.Input.Count > 0 && tensor is not null: node.Input[random.Next(node.Input.Count)] = tensor.Name; break;
                case 3 when tensor is { Dims.Count: > 0 }: tensor.Dims[random.Next(tensor.Dims.Count)] = Odd(); break;
                case 4 when tensor is not null: tensor.Dims.Add(Odd()); break;
                case 5 when tensor is not null: tensor.DataType = (TensorProto.Types.DataType)random.Next(20); break;
                case 6 when attribute is { Ints.Count: > 0 }: attribute.Ints[random.Next(attribute.Ints.Count)] = Odd(); break;
                case 7 when attribute is not null: attribute.I = Odd(); break;
                case 8 when attribute is not null: attribute.F = random.Next(3) == 0 ? float.NaN : (float)Odd(); break;
                case 9: graph.Node.Remove(node); if (graph.Node.Count == 0) graph.Node.Add(node); break;
                case 10: node.Attribute.Add(new AttributeProto { Name = "axis", I = Odd(), Type = AttributeProto.Types.Type.Int }); break;
                case 11 when tensor is not null && tensor.RawData.Length >= 8: tensor.RawData = ByteString.CopyFrom([.. BitConverter.GetBytes(Odd()), .. tensor.RawData.Span[8..]]); break;
                case 12 when graph.Input[0].Type.TensorType.Shape.Dim is { Count: > 1 } dims: dims[random.Next(dims.Count)].DimValue = Odd(); break;
                case 13 when node.Input.Count > 0: node.Input.Add(node.Input[0]); break;
            }
        }
        return model.ToByteArray();
    }

    /// <summary>What a file keeps outside lies in its folder and nowhere else.</summary>
    [Theory]
    [InlineData("../secret.bin")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/secret.bin")]
    [InlineData("..\\secret.bin")]
    [InlineData("link.bin")]
    [InlineData("")]
    [InlineData("missing.bin")]
    public void Nothing_outside_the_folder_is_read(string location)
    {
        string inner = Directory.CreateDirectory(PathOf("inner")).FullName, path = System.IO.Path.Combine(inner, "a.onnx");
        File.WriteAllBytes(PathOf("secret.bin"), new byte[4 + 8 * 4]);
        if (!OperatingSystem.IsWindows())
        {
            // The link's own length, that of what it says, is enough too.
            File.CreateSymbolicLink(System.IO.Path.Combine(inner, "link.bin"), System.IO.Path.Combine(inner, "..", "inner", "..", "secret.bin"));
            Directory.CreateSymbolicLink(System.IO.Path.Combine(inner, "sub"), folder);
        }
        WriteExternal(path, location);
        string message = Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(path)).Message;
        Assert.Contains("0.weight", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_the_folder_is_read()
    {
        float[] numbers = [1, 2, 3, 4, 5, 6, 7, 8];
        byte[] bytes = new byte[4 + 8 * 4];
        Buffer.BlockCopy(numbers, 0, bytes, 4, 8 * 4);
        File.WriteAllBytes(PathOf("weights.bin"), bytes);
        WriteExternal(Path, "weights.bin");
        Assert.Equal(numbers, ((Linear)((Sequential)OnnxModel.Load(Path).Network).Layers[0]).Weight.Value);
    }

    static void WriteExternal(string path, string location)
    {
        OnnxModel.Save(new Sequential(new Linear(4, 2)), 4, path);
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        TensorProto weight = model.Graph.Initializer.Single(tensor => tensor.Name == "0.weight");
        weight.RawData = ByteString.Empty;
        weight.DataLocation = TensorProto.Types.DataLocation.External;
        weight.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        weight.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = "4" });
        weight.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = "32" });
        File.WriteAllBytes(path, model.ToByteArray());
    }

    /// <summary>Branches in branches, and very many nodes: refused, or read in a time that grows with the file.</summary>
    [Theory]
    [InlineData("chain", 15_000)]
    [InlineData("sums", 5_000)]
    [InlineData("nested", 400)]
    [InlineData("nodes", 60_000)]
    public void Large_graphs_are_read_or_refused(string kind, int count)
    {
        ModelProto model = new() { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = 17 } }, Graph = new() { Name = "g" } };
        GraphProto graph = model.Graph;
        graph.Input.Add(OnnxWriter.Value("x", TensorProto.Types.DataType.Float, 4));
        graph.Output.Add(OnnxWriter.Value("y", TensorProto.Types.DataType.Float, 4));
        List<string> names = ["x"];
        for (int i = 0; i < count; i++)
        {
            names.Add(i == count - 1 && kind != "nested" ? "y" : $"t{i}");
            graph.Node.Add(kind == "sums" && i % 2 == 1
                ? new NodeProto { OpType = "Add", Input = { names[^2], names[^3] }, Output = { names[^1] } }
                : new NodeProto { OpType = "Relu", Input = { names[^2] }, Output = { names[^1] } });
        }
        for (int i = count - 1; kind == "nested" && i >= 0; i--)
        {
            string y = i == 0 ? "y" : $"u{i}";
            graph.Node.Add(new NodeProto { OpType = "Add", Input = { names[^1], $"t{i}" }, Output = { y } });
            names.Add(y);
        }
        File.WriteAllBytes(Path, model.ToByteArray());
        if (kind is "nested" or "nodes")
            Assert.Contains(kind == "nodes" ? "60000 nodes" : "branches deep", Assert.Throws<OnnxFormatException>(() => OnnxModel.Load(Path)).Message, StringComparison.Ordinal);
        else
            Assert.Equal(4, OnnxModel.Load(Path).Network.OutputShape(4).Channels);
    }
}
