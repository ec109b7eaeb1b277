using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Runs examples/WebApi as a process on its own port: valid, invalid, too large and too many uploads, and the shutdown.</summary>
public sealed class WebApiExampleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;
    // The client waits for “100 Continue” before it sends a body, so that it receives the refusal of a large body.
    readonly HttpClient client = new(new SocketsHttpHandler { Expect100ContinueTimeout = Timeout.InfiniteTimeSpan }) { Timeout = Timeout.InfiniteTimeSpan };
    Process? server;
    Task<string> log = Task.FromResult("");

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
        Assert.Equal("ok", await client.GetStringAsync(new Uri("/health", UriKind.Relative)));
        Assert.Equal(predictor.Predict(Photo(1)).Probabilities, Probabilities(await Post(File(1))));
        Assert.Equal(predictor.Predict(Photo(2)).Probabilities, Probabilities(await Send(() => Raw(File(2), "application/x-www-form-urlencoded"))));   // as curl
        Assert.Equal(predictor.Predict(Photo(3)).Probabilities, Probabilities(await Send(() => Form(("note", null, [1, 2]), ("file", "a.webp", File(3)), ("b", "b", [4])))));

        foreach ((byte[] upload, string word) in ((byte[], string)[])
        [
            ([], "an empty file"), ("GIF89a"u8.ToArray(), "a GIF"), (File(2)[..200], "a PNG that ends too early"), (Bmp(60000, 60000), "60000×60000 pixels"),
            (Bmp(5000, 5000), "expected at most 16000000 pixels, "), ("P6 5000 5000 255 "u8.ToArray(), "a Netpbm"),
            ("----123\r\nContent-Disposition"u8.ToArray(), "a multipart form"),
            ("\0\0\0\u0018ftypheic"u8.ToArray(), "a HEIC"),
        ])
        {
            IsRefused(HttpStatusCode.BadRequest, word, await Post(upload));
            IsRefused(HttpStatusCode.BadRequest, word, await Send(() => Form(("file", "a", upload))));
        }
        IsRefused(HttpStatusCode.BadRequest, "without a file", await Send(() => Form(("file", null, File(1)))));
        IsRefused(HttpStatusCode.BadRequest, "boundary", await Send(() => Raw(File(1), "multipart/form-data")));
        IsRefused(HttpStatusCode.BadRequest, "", await Send(() => Raw(File(1), "multipart/form-data; boundary=--x")));
        byte[] huge = [.. File(3), .. new byte[4 << 20]];
        foreach (bool chunked in (bool[])[false, true])
        {
            IsRefused(HttpStatusCode.RequestEntityTooLarge, "too large", await Send(() => Raw(huge), chunked));
            IsRefused(HttpStatusCode.RequestEntityTooLarge, "too large", await Send(() => Form(("file", "huge.png", huge)), chunked));
        }

        await EndsWithoutFaults();
    }

    /// <summary>
    /// 64 clients send good, bad, huge, slow and cancelled uploads. Each gets the same answer as a single client, and memory is bounded. MINICNN_LOAD sets
    /// the number of uploads.
    /// </summary>
    [Fact]
    public async Task Of_64_clients_each_has_its_answer_and_memory_is_bounded()
    {
        // Bytes: the heap of .NET is limited to 640 MiB in WebApi.csproj. A pixel takes at most 13 bytes in Skia, outside the heap; at most 32 million at once.
        // The code and the stacks of .NET, ASP.NET and Skia take 150 MB.
        const long Most = (640L << 20) + 13 * 32_000_000L + 150_000_000;
        const int Huge = 12;                                    // sent first and at once: 12 · 7 · 16 MB = 1.3 GB if they did not wait
        int uploads = int.TryParse(Environment.GetEnvironmentVariable("MINICNN_LOAD"), out int asked) ? asked : 100, next = -1;
        Predictor predictor = await Start();
        float[][] expected = [.. Enumerable.Range(0, 8).Select(i => predictor.Predict(Photo(i)).Probabilities.ToArray())];
        byte[][] files = [.. Enumerable.Range(0, 8).Select(File)];
        (byte[] huge, float[] expectedOfHuge) = Striped(4000, 3999, predictor);
        byte[] large = [.. files[3], .. new byte[4 << 20]];
        ConcurrentDictionary<HttpStatusCode, int> codes = [];

        await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(Client)));

        Assert.Equal(uploads, codes.Where(code => code.Key != HttpStatusCode.ServiceUnavailable).Sum(code => code.Value));
        server!.Refresh();
        long peak = server.PeakWorkingSet64;
        Assert.True(peak <= Most, $"it took {peak >> 20} MiB, of {Most >> 20} that it may take, for {string.Join(", ", codes.OrderBy(c => c.Key).Select(c => $"{c.Value} × {(int)c.Key}"))}");
        await EndsWithoutFaults();

        async Task Client()
        {
            for (int i; (i = Interlocked.Increment(ref next)) < uploads;)
                switch (i < Huge ? 19 : i % 20)
                {
                    case < 8:
                        Assert.Equal(expected[i % 8], Probabilities(await Sent(() => i % 3 == 0 ? Form(("file", "a", files[i % 8])) : Raw(files[i % 8]))));
                        break;
                    case < 11:
                        Assert.Equal(expected[i % 8], Probabilities(await Sent(() => new SlowContent(files[i % 8], pieces: 6, pause: 50))));
                        break;
                    case < 13:
                        IsRefused(HttpStatusCode.BadRequest, "ends too early", await Sent(() => Raw(files[2][..(200 + i % 50)])));
                        break;
                    case < 14:
                        IsRefused(HttpStatusCode.BadRequest, "5000×4000 pixels", await Sent(() => Raw(Bmp(5000, 4000))));
                        break;
                    case < 15:
                        IsRefused(HttpStatusCode.RequestEntityTooLarge, "too large", await Sent(() => Raw(large), chunked: i % 40 == 14));
                        break;
                    case < 19:
                        using (CancellationTokenSource leaves = new(i % 7 * 10))
                            try
                            {
                                await Sent(() => i % 2 == 0 ? Raw(huge) : new SlowContent(files[i % 8], pieces: 6, pause: 50), cancel: leaves.Token);
                            }
                            catch (OperationCanceledException)
                            {
                                codes.AddOrUpdate(0, 1, (_, count) => count + 1);
                            }
                        break;
                    default:
                        Assert.Equal(expectedOfHuge, Probabilities(await Sent(() => Raw(huge))));
                        break;
                }
        }

        async Task<(HttpStatusCode, string)> Sent(Func<HttpContent> upload, bool chunked = false, CancellationToken cancel = default)
        {
            (HttpStatusCode Code, string) answer = await Send(upload, chunked, () => codes.AddOrUpdate(HttpStatusCode.ServiceUnavailable, 1, (_, count) => count + 1), cancel);
            codes.AddOrUpdate(answer.Code, 1, (_, count) => count + 1);
            return answer;
        }
    }

    [Fact]
    public async Task Where_too_many_wait_the_next_is_told_when_to_come_back_and_the_slow_make_room()
    {
        Predictor predictor = await Start();
        byte[] begun = [.. File(1)[..100], .. new byte[19_900]];
        using CancellationTokenSource leave = new(TimeSpan.FromMinutes(2));       // a stalled client does not notice that the server closed the connection
        List<Task<HttpResponseMessage>> stalled = [.. Enumerable.Range(0, 120).Select(_ => SendOnce(() => new SlowContent(begun, pieces: 2, pause: -1), cancel: leave.Token))];
        HttpResponseMessage? refused = null;
        while (refused?.StatusCode is not HttpStatusCode.ServiceUnavailable)     // 32 are being read and 64 wait
        {
            Task<HttpResponseMessage> answered = await Task.WhenAny(stalled);
            stalled.Remove(answered);
            refused = await answered;
        }
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        Assert.Equal("ok", await client.GetStringAsync(new Uri("/health", UriKind.Relative)));
        await leave.CancelAsync();
        Assert.Equal(predictor.Predict(Photo(1)).Probabilities, Probabilities(await Post(File(1))));

        // This body would take 20 s. The server checks the rate after 5 s.
        using TcpClient slow = new();
        await slow.ConnectAsync(IPAddress.Loopback, client.BaseAddress!.Port);
        using NetworkStream stream = slow.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n"));
        byte[] answer = new byte[12];
        Task read = stream.ReadExactlyAsync(answer).AsTask();
        for (int i = 0; i < 200 && !read.IsCompleted; i++)
        {
            await stream.WriteAsync(begun.AsMemory(100 * i, 100));
            await Task.WhenAny(read, Task.Delay(100));
        }
        await read;
        Assert.Equal("HTTP/1.1 408", Encoding.ASCII.GetString(answer));
        await EndsWithoutFaults();
    }

    [Theory]
    [InlineData("-TERM")]
    [InlineData("-INT")]
    public async Task A_signal_ends_it_once_those_that_wait_have_their_answers(string signal)
    {
        if (OperatingSystem.IsWindows())
            return;     // no kill command
        Predictor predictor = await Start(drain: false);
        SlowContent upload = new(File(1), pieces: 2, pause: -1);
        Task<(HttpStatusCode, string)> answer = Send(() => upload);
        await upload.Begun;
        Process.Start("kill", [signal, $"{server!.Id}"]).WaitForExit();
        while ((await server.StandardOutput.ReadLineAsync())?.Contains("shutting down", StringComparison.Ordinal) == false) ;
        upload.GoOn();
        Assert.Equal(predictor.Predict(Photo(1)).Probabilities, Probabilities(await answer));
        Assert.DoesNotContain("fail:", await server.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
        await server.WaitForExitAsync();
        Assert.Equal(0, server.ExitCode);
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
        Assert.Contains("has no 'architecture'", Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        System.IO.File.WriteAllBytes(ModelPath, File(1));
        (code, _, error) = Example.Run("WebApi", "--model", ModelPath);
        Assert.Equal(1, code);
        Assert.Contains(ModelPath, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        (code, output, error) = Example.Run("WebApi", "--help");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("--model FILE", output, StringComparison.Ordinal);
    }

    async Task<Predictor> Start(bool drain = true)
    {
        Sequential net = new(new Conv2d(3, 4, 3), new BatchNorm2d(4), new ReLU(), new AdaptiveAvgPool2d(4), new Flatten(), new Linear(64, 3));
        net.Initialize(1);
        ImageClassifier model = new(net, new(3, 20, 24), [0.4f, 0.5f, 0.6f], [0.25f, 0.25f, 0.25f], ["cat", "dog", "neither"]);
        model.Save(ModelPath);
        // 64 threads (hexadecimal 40), like a machine with 64 processors: uploads that do not wait run at once.
        server = Example.Start([("DOTNET_ThreadPool_ForceMinWorkerThreads", "40")], "WebApi", "--model", ModelPath, "--urls", "http://127.0.0.1:0");
        string? line;
        while ((line = await server.StandardOutput.ReadLineAsync()) is not null)
        {
            if (Regex.Match(line, @"http://127\.0\.0\.1:\d+") is { Success: true } address)
            {
                client.BaseAddress = new(address.Value);
                if (drain) log = server.StandardOutput.ReadToEndAsync();        // a full pipe would stop it
                _ = server.StandardError.ReadToEndAsync();
                return model.CreatePredictor();
            }
        }
        throw new InvalidOperationException(await server.StandardError.ReadToEndAsync());
    }

    async Task EndsWithoutFaults()
    {
        server!.Kill();
        Assert.DoesNotContain("fail:", await log, StringComparison.Ordinal);
    }

    Task<(HttpStatusCode, string)> Post(byte[] upload) => Send(() => Raw(upload));

    /// <summary>Sends an upload, and again while the service is full.</summary>
    async Task<(HttpStatusCode Code, string Text)> Send(Func<HttpContent> upload, bool chunked = false, Action? full = null, CancellationToken cancel = default)
    {
        while (true)
        {
            using HttpResponseMessage response = await SendOnce(upload, chunked, cancel);
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable) return (response.StatusCode, await response.Content.ReadAsStringAsync(cancel));
            full?.Invoke();
            await Task.Delay(response.Headers.RetryAfter!.Delta!.Value, cancel);
        }
    }

    async Task<HttpResponseMessage> SendOnce(Func<HttpContent> upload, bool chunked = false, CancellationToken cancel = default)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/predict") { Content = upload() };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true;                  // otherwise the server may close the connection while we send
        return await client.SendAsync(request, cancel);
    }

    static ByteArrayContent Raw(byte[] upload, string? type = null)
    {
        ByteArrayContent content = new(upload);
        if (type is not null) content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return content;
    }

    static MultipartFormDataContent Form(params (string Name, string? File, byte[] Content)[] parts)
    {
        MultipartFormDataContent form = [];
        foreach ((string name, string? file, byte[] content) in parts)
            if (file is null) form.Add(Raw(content), name);
            else form.Add(Raw(content), name, file);
        return form;
    }

    static void IsRefused(HttpStatusCode code, string word, (HttpStatusCode Code, string Text) answer)
    {
        Assert.Equal((code, true), (answer.Code, answer.Text.Contains(word, StringComparison.Ordinal)));
        Assert.DoesNotContain(answer.Text, char.IsControl);
    }

    static float[] Probabilities((HttpStatusCode Code, string Text) posted)
    {
        Assert.True(posted.Code == HttpStatusCode.OK, $"{posted.Code}: {posted.Text}");
        using JsonDocument answer = JsonDocument.Parse(posted.Text);
        Assert.Equal(["label", "className", "probability", "probabilities"], answer.RootElement.EnumerateObject().Select(property => property.Name));
        float[] probabilities = [.. answer.RootElement.GetProperty("probabilities").EnumerateArray().Select(value => value.GetSingle())];
        int label = answer.RootElement.GetProperty("label").GetInt32();
        Assert.Equal(((string[])["cat", "dog", "neither"])[label], answer.RootElement.GetProperty("className").GetString());
        Assert.Equal(probabilities.Max(), probabilities[label]);
        Assert.Equal(probabilities[label], answer.RootElement.GetProperty("probability").GetSingle());
        return probabilities;
    }

    /// <summary>A large picture in a small file, and its probabilities.</summary>
    static (byte[] File, float[] Probabilities) Striped(int width, int height, Predictor predictor)
    {
        Picture picture = new(width, height);
        for (int y = 0; y < height; y++) picture.Pixels.AsSpan(y * width * 3, width * 3).Fill((byte)(y / 64 * 50));
        using MemoryStream file = new();
        picture.Save(file, ".png");
        Assert.InRange(file.Length, 1, 1 << 18);
        return (file.ToArray(), [.. predictor.Predict(picture).Probabilities]);
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

    /// <summary>The header of a 24-bit BMP.</summary>
    static byte[] Bmp(int width, int height)
    {
        byte[] file = new byte[100];
        "BM"u8.CopyTo(file);
        foreach ((int at, int number) in ((int, int)[])[(2, 100), (10, 54), (14, 40), (18, width), (22, height), (26, 1 | 24 << 16)])
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), number);
        return file;
    }

    /// <summary>A body in pieces, with a pause in milliseconds before each piece except the first. −1 pauses until <see cref="GoOn"/> is called.</summary>
    sealed class SlowContent(byte[] bytes, int pieces, int pause) : HttpContent
    {
        readonly TaskCompletionSource begun = new(), goOn = new();

        /// <summary>Completes when the server has asked for the body and the first piece is sent.</summary>
        public Task Begun => begun.Task;

        public void GoOn() => goOn.SetResult();

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, default);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            for (int i = 0; i < pieces; i++)
            {
                if (i > 0) await (pause < 0 ? goOn.Task.WaitAsync(cancellationToken) : Task.Delay(pause, cancellationToken));
                await stream.WriteAsync(bytes.AsMemory()[(bytes.Length * i / pieces)..(bytes.Length * (i + 1) / pieces)], cancellationToken);
                await stream.FlushAsync(cancellationToken);
                begun.TrySetResult();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}
