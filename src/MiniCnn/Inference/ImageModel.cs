using System.Text.Json;

namespace MiniCnn;

/// <summary>A network with the properties of its images, stored in one file. The file can be loaded without the code that built the network.</summary>
/// <remarks>
/// The file is a safetensors file with PyTorch's names for the weights, so the same network in PyTorch can load it too. Its metadata holds JSON:
/// “architecture”, the layers with their constructor arguments; “input”, the shape, fit, mean and std of the images; and “class_names”. “minicnn_version” is
/// plain text.
/// </remarks>
public abstract class ImageModel
{
    readonly float[] mean, std;

    private protected ImageModel(
        Layer network, ImageShape input, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, IReadOnlyList<string> classNames, Fit fit)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(classNames);
        (Network, Input, this.mean, this.std, ClassNames, Fit) = (network, input, mean.ToArray(), std.ToArray(), [.. classNames], fit);
        if (network.Place is not "")
            throw new ArgumentException($"{network.Description}: is inside another network; a model takes the outermost layer");
        if (input.IsFlat || input.Channels is not (1 or 3) || input.Height < 1 || input.Width < 1 || input.Length > Array.MaxLength)
            throw new ArgumentException($"a model takes images of 1 or 3 channels and of a size that fits an array, not {input}");
        if (mean.Length != input.Channels || std.Length != input.Channels)
            throw new ArgumentException($"images of {input} need one mean and one std per channel, not {mean.Length} and {std.Length}");
        if (!this.mean.All(float.IsFinite) || !this.std.All(value => value > 0 && float.IsFinite(value)))
            throw new ArgumentException("means must be finite, and stds finite and above 0");
        if (!Enum.IsDefined(fit))
            throw new ArgumentException($"there is no fit {fit}");
        if (ClassNames.Contains(null!))
            throw new ArgumentException("a class name is null; every class needs a name");
        CheckOutput();
    }

    /// <summary>The network: it maps images [N, C, H, W] to logits.</summary>
    public Layer Network { get; }

    /// <summary>Number of channels, 1 (grayscale) or 3 (RGB), and the height and width that pictures are resized to.</summary>
    public ImageShape Input { get; }

    /// <summary>How pictures are resized to the input size.</summary>
    public Fit Fit { get; }

    /// <summary>Mean that is subtracted, one value per channel, for pixels scaled to 0 to 1.</summary>
    public ReadOnlySpan<float> Mean => mean;

    /// <summary>Standard deviation that is divided by, one value per channel, for pixels scaled to 0 to 1.</summary>
    public ReadOnlySpan<float> Std => std;

    /// <summary>Name of each class: <c>ClassNames[label]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Lock for calls of a network with a <see cref="CustomLayer"/>, shared by all predictors of the model.</summary>
    internal Lock OneByOne { get; } = new();

    /// <summary>Creates a model from a network and the images it was trained on.</summary>
    internal static ImageModel Of(Layer network, ImageDataset images) =>
        images is MaskedImages masked ? new ImageSegmenter(network, masked) : new ImageClassifier(network, (LabeledImages)images);

    /// <summary>Writes the model file atomically. The same model gives the same bytes.</summary>
    /// <param name="path">Path of the file; an existing file is replaced.</param>
    /// <exception cref="InvalidOperationException">
    /// The network contains a <see cref="CustomLayer"/>, which a model file cannot hold: save its weights with <see cref="Weights.Save"/>.
    /// </exception>
    /// <exception cref="ArgumentException">The network was changed, and its output no longer matches the classes.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        CheckOutput();
        Weights.Save(Network, path, new Dictionary<string, string>([KeyValuePair.Create("architecture", Architecture.Write(Network)), .. Metadata]));
    }

    /// <summary>Metadata of the file without the layers.</summary>
    internal Dictionary<string, string> Metadata => new()
    {
        ["input"] = Architecture.ToText(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("channels", Input.Channels);
            json.WriteNumber("height", Input.Height);
            json.WriteNumber("width", Input.Width);
            json.WriteString("fit", Fit.ToString());
            Write("mean", mean);
            Write("std", std);
            json.WriteEndObject();

            void Write(string name, float[] values)
            {
                json.WriteStartArray(name);
                foreach (float value in values)
                    json.WriteNumberValue(value);
                json.WriteEndArray();
            }
        }),
        ["class_names"] = Architecture.ToText(json =>
        {
            json.WriteStartArray();
            foreach (string name in ClassNames)
                json.WriteStringValue(SafeTensors.Encoded(name));
            json.WriteEndArray();
        }),
        ["minicnn_version"] = Version,
    };

    /// <summary>Creates a model from the contents of a file.</summary>
    private protected delegate T Maker<T>(Layer network, ImageShape input, float[] mean, float[] std, string[] classNames, Fit fit);

    /// <summary>Loads a model file that <see cref="Save"/> wrote.</summary>
    private protected static T Load<T>(string path, Maker<T> make) where T : ImageModel
    {
        SafeTensorsFile file = SafeTensors.Read(path);
        try
        {
            Layer network = ReadMetadata(file.Metadata, "architecture", typeof(T).Name, json => Architecture.Read(json, file.Tensors));
            T model = Create(network, file.Metadata, make);
            StoredTensor.LoadAll([.. network.Stored], file.Tensors);
            return model;
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            string version = file.Metadata.GetValueOrDefault("minicnn_version", Version);
            string from = version == Version ? "" : $" (of MiniCnn {version}; this is {Version})";
            throw new InvalidDataException(SafeTensors.OneLine($"{path}: {e.Message}{from}"), e);
        }
    }

    /// <summary>Creates a model from a network and the metadata of a file; null if the metadata do not describe the images.</summary>
    /// <exception cref="InvalidDataException">The metadata do not have the format of <see cref="Metadata"/>.</exception>
    /// <exception cref="ArgumentException">The network does not accept images with these properties.</exception>
    internal static ImageModel? Of(Layer network, ImageShape input, IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.ContainsKey("class_names") || !metadata.ContainsKey("input"))
            return null;
        return network.OutputShape(input).IsFlat
            ? Create<ImageModel>(network, metadata, (net, shape, mean, std, names, fit) => new ImageClassifier(net, shape, mean, std, names, fit))
            : Create<ImageModel>(network, metadata, (net, shape, mean, std, names, fit) => new ImageSegmenter(net, shape, mean, std, names, fit));
    }

    static T Create<T>(Layer network, IReadOnlyDictionary<string, string> metadata, Maker<T> make) where T : ImageModel
    {
        string type = typeof(T).Name;
        (ImageShape shape, float[] mean, float[] std, Fit fit) = ReadMetadata(metadata, "input", type, json => (
            new ImageShape(json.GetProperty("channels").GetInt32(), json.GetProperty("height").GetInt32(), json.GetProperty("width").GetInt32()),
            Floats(json, "mean"), Floats(json, "std"), FitOf(json)));
        string[] classNames = ReadMetadata(metadata, "class_names", type, json => json.EnumerateArray().Select(name => name.GetString()!).ToArray());
        return make(network, shape, mean, std, classNames, fit);

        // Older files have no fit: pictures were stretched.
        static Fit FitOf(JsonElement json)
        {
            if (!json.TryGetProperty("fit", out JsonElement name))
                return Fit.Stretch;
            Fit[] fits = Enum.GetValues<Fit>();
            int i = Array.FindIndex(fits, fit => $"{fit}" == $"{name}");
            return i >= 0 ? fits[i] : throw new InvalidDataException($"'fit' is {name}; it must be {string.Join(", ", fits)}");
        }

        static float[] Floats(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Take(4).Select(value => value.GetSingle())];
    }

    static R ReadMetadata<R>(IReadOnlyDictionary<string, string> metadata, string key, string type, Func<JsonElement, R> read)
    {
        if (!metadata.TryGetValue(key, out string? text))
        {
            throw new InvalidDataException(
                $"has no '{key}': the file holds weights only, not a model that {type}.Save wrote; build the network in code and use Weights.Load");
        }
        try
        {
            using JsonDocument json = Architecture.Parse(text);
            return read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new InvalidDataException($"'{key}' does not have the format that {type}.Save writes: {e.Message}", e);
        }
    }

    static string Version => typeof(ImageModel).Assembly.GetName().Version!.ToString(3);

    /// <summary>The required output shape of the network for a number of channels.</summary>
    private protected abstract ImageShape OutputOf(int channels);

    /// <summary>Throws if the output shape does not match the classes. Checked before every use, because layers can be replaced.</summary>
    internal void CheckOutput()
    {
        ImageShape output = Network.OutputShape(Input), wanted = OutputOf(ClassNames.Count);
        if (output != wanted && (ClassNames.Count != 2 || output != OutputOf(1)))
        {
            ImageShape other = wanted.IsFlat ? new(ClassNames.Count, Input.Height, Input.Width) : ImageShape.Features(ClassNames.Count);
            string hint = output == other ? $": use an {(output.IsFlat ? nameof(ImageClassifier) : nameof(ImageSegmenter))}" : "";
            throw new ArgumentException($"the output of the network for {Input} is {output}, but {ClassNames.Count} classes need {wanted}{hint}");
        }
    }
}
