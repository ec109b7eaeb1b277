using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using System.Text.Json.Nodes;
using Entry = MiniCnn.SafeTensors.Entry;

namespace MiniCnn.Tests;

/// <summary>Model files: what is restored, what is refused, and how much memory loading takes.</summary>
public sealed class ImageClassifierTests : FolderTests
{
    static readonly string[] pets = ["cat", "Hund „Ü“"];

    /// <summary>
    /// A small network with every kind of tensor that a file holds, after one training step, so its running statistics are not the initial ones.
    /// </summary>
    static ImageClassifier Small()
    {
        Sequential net = new(
            new Conv2d(3, 4, (3, 2), padding: (1, 0), bias: false), new BatchNorm2d(4), new ReLU(),
            new Residual(new Conv2d(4, 4, 1), new Sequential(new GroupNorm(2, 4), new Upsample(1))),
            new Concat(new Identity(), new ConvTranspose2d(4, 2, 1)), new MaxPool2d(2), new Flatten(), new LayerNorm(6 * 2 * 2), new Linear(6 * 2 * 2, 2));
        net.Initialize(3);
        net.Forward(Images(5), training: true);
        return new(net, new(3, 4, 5), [0.1f, 0.2f, 0.3f], [0.4f, 0.5f, 1 / 3f], pets);
    }

    static Tensor<float> Images(int count) => new Random(count).Tensor(count, 3, 4, 5);

    [Fact]
    public void A_file_is_all_it_takes()
    {
        ImageClassifier saved = Small();
        saved.Save(PathOf("a"));
        ImageClassifier loaded = ImageClassifier.Load(PathOf("a"));
        Assert.Equal(saved.Input, loaded.Input);
        Assert.Equal(saved.Mean.ToArray(), loaded.Mean.ToArray());
        Assert.Equal(saved.Std.ToArray(), loaded.Std.ToArray());
        Assert.Equal(pets, loaded.ClassNames);
        Assert.Equal(saved.Network.Forward(Images(3)).AsSpan().ToArray(), loaded.Network.Forward(Images(3)).AsSpan().ToArray());
        BatchNorm2d norm = (BatchNorm2d)((Sequential)loaded.Network).Layers[1];
        Assert.Equal(1, norm.BatchesTracked);
        Assert.Contains(norm.RunningMean.AsSpan().ToArray(), mean => mean != 0);
        loaded.Save(PathOf("b"));
        Assert.Equal(File.ReadAllBytes(PathOf("a")), File.ReadAllBytes(PathOf("b")));
    }

    [Fact]
    public void The_file_tells_of_itself_in_words()
    {
        Small().Save(PathOf("a"));
        IReadOnlyDictionary<string, string> about = SafeTensors.Read(PathOf("a")).Metadata;
        Assert.Equal(["architecture", "class_names", "format", "input", "minicnn_version"], about.Keys.Order());
        Assert.StartsWith("""{"type":"Sequential","layers":[{"type":"Conv2d","inputChannels":3,""", about["architecture"], StringComparison.Ordinal);
        Assert.Equal("""{"channels":3,"height":4,"width":5,"fit":"Stretch","mean":[0.1,0.2,0.3],"std":[0.4,0.5,0.33333334]}""", about["input"]);
        Assert.Equal("""["cat","Hund „Ü“"]""", about["class_names"]);
        Assert.Equal("pt", about["format"]);
        Assert.Matches(@"^\d+\.\d+\.\d+$", about["minicnn_version"]);
    }

    [Fact]
    public void A_set_of_images_tells_what_it_has_to_know()
    {
        LabeledImages images = new(new byte[2 * 12], [0, 1], new(1, 3, 4), 2, [0.25f], [0.5f], pets);
        ImageClassifier model = new(new Sequential(new Flatten(), new Linear(12, 2)), images);
        Assert.Equal((new ImageShape(1, 3, 4), 0.25f, 0.5f), (model.Input, model.Mean[0], model.Std[0]));
        Assert.Equal(pets, model.ClassNames);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        ImageShape shape = new(1, 3, 4);
        Refused("3 classes need 3 features", Net(12, 2), shape, [0], [1], ["a", "b", "c"]);
        Refused("for 1×3×4 is 12×1×1", new Conv2d(1, 12, (3, 4)), shape, [0], [1], [.. Enumerable.Range(0, 12).Select(i => $"{i}")]);
        Refused("layer 1, Linear(12→2): takes 12 features, not 15", Net(12, 2), new(1, 3, 5), [0], [1], pets);
        Refused("1 or 3 channels", Net(24, 2), new(2, 3, 4), [0, 0], [1, 1], pets);
        Refused("1 or 3 channels", Net(12, 2), ImageShape.Features(12), [0], [1], pets);
        Refused("of a size", Net(12, 2), new(1, 0, 4), [0], [1], pets);
        Refused("of a size", Net(12, 2), new(1, 1 << 20, 1 << 20), [0], [1], pets);
        Refused("not 2 and 1", Net(12, 2), shape, [0, 0], [1], pets);
        Refused("not 1 and 0", Net(12, 2), shape, [0], [], pets);
        foreach (float std in (float[])[0, -1, float.NaN, float.PositiveInfinity])
            Refused("above 0", Net(12, 2), shape, [0], [std], pets);
        Refused("must be finite", Net(12, 2), shape, [float.NaN], [1], pets);
        Refused("every class needs a name", Net(12, 2), shape, [0], [1], ["a", null!]);
        Sequential whole = new(Net(12, 2));
        Refused("layer 0, Sequential(2 layers): is inside another network", whole.Layers[0], shape, [0], [1], pets);

        static Sequential Net(int features, int classes) => new(new Flatten(), new Linear(features, classes));

        static void Refused(string fault, Layer network, ImageShape input, float[] mean, float[] std, string[] names) =>
            Assert.Contains(
                fault, Assert.Throws<ArgumentException>(() => new ImageClassifier(network, input, mean, std, names)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_of_ones_own_keeps_the_old_file()
    {
        Small().Save(PathOf("a"));
        byte[] before = File.ReadAllBytes(PathOf("a"));
        ImageClassifier own = new(new Sequential(new Affine(), new Flatten(), new Linear(12, 2)), new(1, 3, 4), [0], [1], pets);
        Assert.Contains("Weights.Save", Assert.Throws<InvalidOperationException>(() => own.Save(PathOf("a"))).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(PathOf("a")));
    }

    public static TheoryData<string, string, string> Faults => new()
    {
        { "architecture", "", "has no 'architecture': the file holds weights only" },
        { "input", "", "has no 'input'" },
        { "class_names", "", "has no 'class_names'" },
        { "architecture", "{", "JSON" },
        { "architecture", """{"type":"Conv9d\n"}""", "layer Conv9d : is not a layer of this library" },
        { "architecture", """{"type":"\ud800"}""", "UTF-16" },
        { "architecture", """{"type":"Flatten"}""", "the output of the network for 3×4×5 is 60 features, but 2 classes need 2 features" },
        { "input", "[]", "Object" },
        { "input", """{"channels":3,"height":4,"width":5,"fit":"Stretch","mean":[0,0,0]}""", "The given key was not present" },
        { "input", """{"channels":3,"height":4,"width":5,"fit":"Stretch","mean":[0,0,0],"std":[1,1]}""", "one std per channel" },
        { "input", """{"channels":3,"height":4,"width":5,"fit":"Stretch","mean":[0,0,0],"std":[1,1,1e999]}""", "finite" },
        { "input", """{"channels":3,"height":4,"width":5,"fit":"Stretch","mean":[0,0,"0"],"std":[1,1,1]}""", "Number" },
        { "input", """{"channels":1,"height":4,"width":5,"fit":"Stretch","mean":[0],"std":[1]}""", "right 0, no bias): takes 3 channels, not 1" },
        { "input", """{"channels":3,"height":4,"width":99999999999,"mean":[0],"std":[1]}""", "'input' does not have the format that ImageClassifier.Save writes: " },
        { "class_names", "[1,2]", "String" },
        { "class_names", """["one"]""", "1 classes need 1 features" },
        { "class_names", """["one",null]""", "every class needs a name" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_file_that_tells_no_sense_is_one_line(string key, string text, string fault)
    {
        Small().Save(PathOf("a"));
        SafeTensorsFile good = SafeTensors.Read(PathOf("a"));
        Dictionary<string, string> about = new(good.Metadata) { [key] = text };
        if (text is "")
            about.Remove(key);
        SafeTensors.Write(PathOf("a"), good.Tensors, about);
        Refused(fault);
        about["minicnn_version"] = "99.1.2";
        SafeTensors.Write(PathOf("a"), good.Tensors, about);
        Refused("(of MiniCnn 99.1.2; this is ");
    }

    [Fact]
    public void Tensors_that_are_not_the_networks_are_one_line()
    {
        Small().Save(PathOf("a"));
        SafeTensorsFile good = SafeTensors.Read(PathOf("a"));
        With("1.running_var", null, "has no 1.running_var F32 [4]; it holds");
        With("1.running_var", Entry.From<float>(new float[5], 5), "1.running_var is F32 [5], but the model's is F32 [4]");
        With("1.num_batches_tracked", Entry.From<long>([1], 1), "1.num_batches_tracked is I64 [1], but the model's is I64 []");
        With("1.num_batches_tracked", Entry.From<float>([1]), "1.num_batches_tracked is F32 [], but the model's is I64 []");
        With("0.weight", Entry.From<int>(new int[72], 4, 3, 3, 2), "layer 0, Conv2d: needs 0.weight F32 [4, 3, 3, 2], but the file has I32 [4, 3, 3, 2]");
        With("8.weight", null, "layer 8, Linear: needs 8.weight F32 [2, 24], but the file has none");
        With("extra\n", Entry.From<float>([1], 1), "holds extra , which the model does not have");

        void With(string name, Entry? entry, string fault)
        {
            Dictionary<string, Entry> tensors = new(good.Tensors);
            tensors.Remove(name);
            if (entry is not null)
                tensors[name] = entry;
            SafeTensors.Write(PathOf("a"), tensors, good.Metadata);
            Refused(fault);
        }
    }

    void Refused(string fault)
    {
        string message = Assert.Throws<InvalidDataException>(() => ImageClassifier.Load(PathOf("a"))).Message;
        AssertOneLine(message);
        Assert.Contains(fault, message, StringComparison.Ordinal);
    }

    void AssertOneLine(string message)
    {
        Assert.StartsWith(PathOf("a") + ": ", message, StringComparison.Ordinal);
        Assert.DoesNotContain(message, char.IsControl);
        Assert.InRange(message.Length, 0, 1100);
    }

    /// <summary>Half of the files have mutated metadata in a valid safetensors frame, so that the code behind the frame is reached.</summary>
    [Fact]
    public void Mutated_files_are_models_or_one_line()
    {
        Small().Save(PathOf("a"));
        byte[] good = File.ReadAllBytes(PathOf("a"));
        int count = int.Parse(Environment.GetEnvironmentVariable("MINICNN_FUZZ") ?? "2000", CultureInfo.InvariantCulture), models = 0;
        for (int number = 0; number < count; number++)
        {
            byte[] file = number % 2 == 0 ? MutatedFiles.Mutate([good], number) : WithOtherWords(good, number);
            File.WriteAllBytes(PathOf("a"), file);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                ImageClassifier.Load(PathOf("a"));
                models++;
            }
            catch (InvalidDataException fault)
            {
                AssertOneLine(fault.Message);
            }
            catch (Exception e)
            {
                Assert.Fail($"mutation {number}: {e}");
            }
            long memory = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(memory <= 100_000 + 40 * file.Length, $"mutation {number}: {memory} bytes of memory for {file.Length} of the file");
        }
        Assert.InRange(models, count / 100, count / 2);
    }

    static byte[] WithOtherWords(byte[] file, int number)
    {
        int length = BitConverter.ToInt32(file);
        JsonNode header = JsonNode.Parse(file.AsSpan(8, length))!;
        JsonNode about = header["__metadata__"]!;
        string key = number % 8 < 6 ? "architecture" : number % 16 < 8 ? "input" : "class_names";
        about[key] = Encoding.UTF8.GetString(MutatedFiles.Mutate([Encoding.UTF8.GetBytes((string)about[key]!)], number));
        byte[] words = Encoding.UTF8.GetBytes(header.ToJsonString());
        return [.. BitConverter.GetBytes((long)words.Length), .. words, .. file.AsSpan(8 + length)];
    }

    /// <summary>Many small layers, many names and deep nesting take memory proportional to the size of the file.</summary>
    [Theory]
    [InlineData("layers")]
    [InlineData("nested")]
    [InlineData("branches")]
    [InlineData("numbers")]
    [InlineData("names")]
    [InlineData("properties")]
    public void Large_words_take_memory_in_proportion(string kind)
    {
        const string Relu = """{"type":"ReLU"}""";
        string many = string.Join(',', Enumerable.Repeat(Relu, 20_000)), architecture = kind switch
        {
            "layers" => $$"""{"type":"Sequential","layers":[{{many}}]}""",
            "nested" => Nested("Sequential", 15, many),
            "branches" => Nested("Concat", 15, Relu),
            "numbers" => $$"""{"type":"LayerNorm","shape":[{{string.Join(',', Enumerable.Repeat("1", 100_000))}}],"epsilon":1}""",
            "properties" => $$"""{"type":"ReLU",{{string.Join(',', Enumerable.Range(0, 50_000).Select(i => $"\"{i}\":1"))}}}""",
            _ => """{"type":"Flatten"}""",
        };
        string names = kind == "names" ? $"[{string.Join(',', Enumerable.Repeat("\"\"", 100_000))}]" : """["a"]""";
        SafeTensors.Write(PathOf("a"), [], new Dictionary<string, string>
        {
            ["architecture"] = architecture,
            ["class_names"] = names,
            ["input"] = """{"channels":1,"height":1,"width":1,"mean":[0],"std":[1]}""",
        });
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused("");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000 + 100 * new FileInfo(PathOf("a")).Length);

        static string Nested(string type, int depth, string inside) => string.Concat(Enumerable.Repeat($$"""{"type":"{{type}}","layers":[""", depth))
            + inside + string.Concat(Enumerable.Repeat("]}", depth));
    }
}
