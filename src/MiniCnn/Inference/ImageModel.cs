using System.Text.Json;

namespace MiniCnn;

/// <summary>A network and what it has to know of an image: one file holds all of it, and no code is needed to load it.</summary>
/// <remarks>
/// The file is safetensors with PyTorch's names for the weights, so the same network in PyTorch loads it too. Its metadata tells the rest, in JSON:
/// “architecture”, the layers as their constructors are called; “input”, the images' shape, fit, mean and std; “class_names”; and “minicnn_version”.
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
            throw new ArgumentException($"{network.Description}: stands inside a network; a model takes the outermost layer");
        if (input.IsFlat || input.Channels is not (1 or 3) || input.Height < 1 || input.Width < 1 || input.Length > Array.MaxLength)
            throw new ArgumentException($"a model takes images of 1 or 3 channels and of a size that fits an array, not {input}");
        if (mean.Length != input.Channels || std.Length != input.Channels)
            throw new ArgumentException($"images of {input} need one mean and one std a channel, not {mean.Length} and {std.Length}");
        if (!this.mean.All(float.IsFinite) || !this.std.All(value => value > 0 && float.IsFinite(value)))
            throw new ArgumentException("means must be finite, and stds finite and above 0");
        if (!Enum.IsDefined(fit))
            throw new ArgumentException($"there is no fit {fit}");
        if (ClassNames.Contains(null!))
            throw new ArgumentException("a class has no name");
        CheckOutput();
    }

    /// <summary>From images, [N, C, H, W], to logits.</summary>
    public Layer Network { get; }

    /// <summary>Channels, 1 for grey or 3 for red, green and blue; and the size that pictures are resized to.</summary>
    public ImageShape Input { get; }

    /// <summary>How a picture is brought to that size.</summary>
    public Fit Fit { get; }

    /// <summary>What is subtracted, one value a channel, on the scale of 0 to 1.</summary>
    public ReadOnlySpan<float> Mean => mean;

    /// <summary>What is then divided by, one value a channel, on the scale of 0 to 1.</summary>
    public ReadOnlySpan<float> Std => std;

    /// <summary>The name of each class: <c>ClassNames[label]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Calls of a network with a <see cref="CustomLayer"/> wait for one another, whichever predictor they are of.</summary>
    internal Lock OneByOne { get; } = new();

    /// <summary>A model of what a network was trained on.</summary>
    internal static ImageModel Of(Layer network, ImageDataset images) =>
        images is MaskedImages masked ? new ImageSegmenter(network, masked) : new ImageClassifier(network, (LabeledImages)images);

    /// <summary>Writes the file, whole or not at all; the same model gives the same bytes.</summary>
    /// <exception cref="InvalidOperationException">
    /// The network holds a <see cref="CustomLayer"/>, which only code can make: keep the weights by <see cref="Weights.Save"/>.
    /// </exception>
    /// <exception cref="ArgumentException">The network was changed and does not fit any more.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        CheckOutput();
        Weights.Save(Network, path, new Dictionary<string, string>([KeyValuePair.Create("architecture", Architecture.Write(Network)), .. Metadata]));
    }

    /// <summary>What a file tells of it besides the layers.</summary>
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

    /// <summary>A maker of models from what a file tells.</summary>
    private protected delegate T Maker<T>(Layer network, ImageShape input, float[] mean, float[] std, string[] classNames, Fit fit);

    /// <summary>Reads what Save wrote.</summary>
    private protected static T Load<T>(string path, Maker<T> make) where T : ImageModel
    {
        SafeTensorsFile file = SafeTensors.Read(path);
        try
        {
            Layer network = Told(file.Metadata, "architecture", typeof(T).Name, json => Architecture.Read(json, file.Tensors));
            T model = Made(network, file.Metadata, make);
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

    /// <summary>A network with what a file's metadata tell of its images, if they do.</summary>
    /// <exception cref="InvalidDataException">They tell it otherwise than <see cref="Metadata"/> does.</exception>
    /// <exception cref="ArgumentException">They tell of other images than the network takes.</exception>
    internal static ImageModel? Of(Layer network, ImageShape input, IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.ContainsKey("class_names") || !metadata.ContainsKey("input"))
            return null;
        return network.OutputShape(input).IsFlat
            ? Made<ImageModel>(network, metadata, (net, shape, mean, std, names, fit) => new ImageClassifier(net, shape, mean, std, names, fit))
            : Made<ImageModel>(network, metadata, (net, shape, mean, std, names, fit) => new ImageSegmenter(net, shape, mean, std, names, fit));
    }

    static T Made<T>(Layer network, IReadOnlyDictionary<string, string> metadata, Maker<T> make) where T : ImageModel
    {
        string type = typeof(T).Name;
        (ImageShape shape, float[] mean, float[] std, Fit fit) = Told(metadata, "input", type, json => (
            new ImageShape(json.GetProperty("channels").GetInt32(), json.GetProperty("height").GetInt32(), json.GetProperty("width").GetInt32()),
            Floats(json, "mean"), Floats(json, "std"), FitOf(json)));
        return make(network, shape, mean, std, Told(metadata, "class_names", type, json => json.EnumerateArray().Select(name => name.GetString()!).ToArray()), fit);

        // Files from before there was a choice tell none: pictures were stretched.
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

    static R Told<R>(IReadOnlyDictionary<string, string> metadata, string key, string type, Func<JsonElement, R> read)
    {
        if (!metadata.TryGetValue(key, out string? text))
        {
            throw new InvalidDataException(
                $"tells no '{key}': weights alone, not a model that {type}.Save wrote; build the network in code and load them with Weights.Load");
        }
        try
        {
            using JsonDocument json = Architecture.Parse(text);
            return read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new InvalidDataException($"'{key}' is not as {type}.Save writes it: {e.Message}", e);
        }
    }

    static string Version => typeof(ImageModel).Assembly.GetName().Version!.ToString(3);

    /// <summary>What the network must make of an image, in a number of channels.</summary>
    private protected abstract ImageShape OutputOf(int channels);

    /// <summary>Again when it is used: layers can be replaced.</summary>
    internal void CheckOutput()
    {
        ImageShape output = Network.OutputShape(Input), wanted = OutputOf(ClassNames.Count);
        if (output != wanted && (ClassNames.Count != 2 || output != OutputOf(1)))
        {
            ImageShape other = wanted.IsFlat ? new(ClassNames.Count, Input.Height, Input.Width) : ImageShape.Features(ClassNames.Count);
            string hint = output == other ? $": that is an {(output.IsFlat ? nameof(ImageClassifier) : nameof(ImageSegmenter))}" : "";
            throw new ArgumentException($"the network makes {output} of {Input}, but {ClassNames.Count} classes need {wanted}{hint}");
        }
    }
}
