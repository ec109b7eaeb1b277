using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>examples/WebApi as a process on a port of its own: what it answers to pictures, to what is none, to too much, and to eight at once.</summary>
public sealed class WebApiExampleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;
    readonly HttpClient client = new();
    Process? server;

    string ModelPath => Path.Combine(folder, "model.safetensors");

    public void Dispose()
    {
        server?.Kill();
        server?.WaitForExit();
        server?.Dispose();
        client.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task It_answers_pictures_and_refuses_the_rest_in_a_line()
    {
        Predictor predictor = await Start();
        Assert.Equal(predictor.Predict(Photo(1)).Probabilities, await Probabilities(File(1)));

        foreach ((byte[] upload, string word) in ((byte[], string)[])
        [
            ([], "an empty file"), ("GIF89a"u8.ToArray(), "a GIF"), (File(2)[..200], "a PNG that ends too early"), (Bmp(60000, 60000), "60000×60000 pixels"),
            (Bmp(5000, 5000), "5000×5000 pixels; up to 16000000"), ("P6 5000 5000 255 "u8.ToArray(), "a Netpbm"), ("----123\r\nContent-Disposition"u8.ToArray(), "a form"),
            ("\0\0\0\u0018ftypheic"u8.ToArray(), "a HEIC"),
        ])
        {
            (HttpStatusCode code, string text) = await Post(upload);
            Assert.Equal(HttpStatusCode.BadRequest, code);
            Assert.Contains(word, text, StringComparison.Ordinal);
            Assert.DoesNotContain(text, char.IsControl);
        }
        byte[] huge = [.. File(3), .. new byte[4 << 20]];
        foreach (bool chunked in (bool[])[false, true])
        {
            (HttpStatusCode code, string text) = await Post(huge, chunked);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, code);
            Assert.Contains("too large", text, StringComparison.Ordinal);
            Assert.DoesNotContain(text, char.IsControl);
        }

        float[][] expected = [.. Enumerable.Range(0, 8).Select(i => predictor.Predict(Photo(i)).Probabilities.ToArray())];
        for (int round = 0; round < 5; round++)
        {
            float[][] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Probabilities(File(i))));
            Assert.Equal(expected, answers);
        }
    }

    [Fact]
    public void Without_a_model_it_says_so_and_ends()
    {
        (int code, string output, string error) = Example.Run("WebApi", "--model", ModelPath, "--urls", "http://127.0.0.1:0");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(ModelPath, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        SafeTensors.Write(ModelPath, []);
        (code, _, error) = Example.Run("WebApi", "--model", ModelPath);
        Assert.Equal(1, code);
        Assert.Contains("tells no 'architecture'", Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        (code, output, error) = Example.Run("WebApi", "--help");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("--model FILE", output, StringComparison.Ordinal);
    }

    async Task<Predictor> Start()
    {
        Sequential net = new(new Conv2d(3, 4, 3), new BatchNorm2d(4), new ReLU(), new AdaptiveAvgPool2d(4), new Flatten(), new Linear(64, 3));
        net.Initialize(1);
        ImageClassifier model = new(net, new(3, 20, 24), [0.4f, 0.5f, 0.6f], [0.25f, 0.25f, 0.25f], ["cat", "dog", "neither"]);
        model.Save(ModelPath);
        server = Example.Start("WebApi", "--model", ModelPath, "--urls", "http://127.0.0.1:0");
        string? line;
        while ((line = await server.StandardOutput.ReadLineAsync()) is not null)
        {
            if (Regex.Match(line, @"http://127\.0\.0\.1:\d+") is { Success: true } address)
            {
                client.BaseAddress = new(address.Value);
                _ = server.StandardOutput.ReadToEndAsync();     // a full pipe would stop it
                _ = server.StandardError.ReadToEndAsync();
                return model.CreatePredictor();
            }
        }
        throw new InvalidOperationException(await server.StandardError.ReadToEndAsync());
    }

    async Task<(HttpStatusCode, string)> Post(byte[] upload, bool chunked = false)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/predict") { Content = new ByteArrayContent(upload) };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true;                  // else the server may close while we send
        using HttpResponseMessage response = await client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    async Task<float[]> Probabilities(byte[] upload)
    {
        (HttpStatusCode code, string text) = await Post(upload);
        Assert.True(code == HttpStatusCode.OK, text);
        using JsonDocument answer = JsonDocument.Parse(text);
        float[] probabilities = [.. answer.RootElement.GetProperty("probabilities").EnumerateArray().Select(value => value.GetSingle())];
        int label = answer.RootElement.GetProperty("label").GetInt32();
        Assert.Equal(((string[])["cat", "dog", "neither"])[label], answer.RootElement.GetProperty("className").GetString());
        Assert.Equal(probabilities.Max(), probabilities[label]);
        Assert.Equal(probabilities[label], answer.RootElement.GetProperty("probability").GetSingle());
        return probabilities;
    }

    static Picture Photo(int seed)
    {
        Picture photo = new(30 + seed, 40);
        new Random(seed).NextBytes(photo.Pixels);
        return photo;
    }

    static byte[] File(int seed)
    {
        using MemoryStream file = new();
        Photo(seed).Save(file, seed % 2 == 0 ? ".png" : ".webp");
        return file.ToArray();
    }

    /// <summary>The beginning of a BMP of 24 bits.</summary>
    static byte[] Bmp(int width, int height)
    {
        byte[] file = new byte[100];
        "BM"u8.CopyTo(file);
        foreach ((int at, int number) in ((int, int)[])[(2, 100), (10, 54), (14, 40), (18, width), (22, height), (26, 1 | 24 << 16)])
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), number);
        return file;
    }
}
