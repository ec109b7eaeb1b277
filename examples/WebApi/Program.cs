// A web service that tells what an uploaded picture shows: dotnet run -c Release --project examples/WebApi -- --model runs/cats-vs-dogs/model.safetensors
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.RateLimiting;
using MiniCnn;
using MiniCnn.Imaging;

if (args.Contains("--help"))
{
    Console.WriteLine(
        """
        Tells what an uploaded picture shows: POST a JPEG, PNG, WebP, GIF or BMP to /predict, as a form's file or by itself, and JSON comes back.
        GET /health says ok. Ctrl-C or SIGTERM ends it, once those that wait have their answers.

          curl -F file=@photo.jpg http://localhost:5000/predict
          curl --data-binary @photo.jpg http://localhost:5000/predict

          --model FILE   What ImageClassifier.Save wrote (as examples/CatsVsDogs does); runs/cats-vs-dogs/model.safetensors if left out
          --urls URL     Where to listen; http://localhost:5000 if left out
        """);
    return 0;
}
try
{
    // README: web program
    WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
    builder.WebHost.ConfigureKestrel(server =>
    {
        server.Limits.MaxRequestBodySize = 4 << 20;                                               // bytes of an upload
        server.Limits.MinRequestBodyDataRate = new(bytesPerSecond: 100_000, gracePeriod: TimeSpan.FromSeconds(5));    // so it takes 42 s at most
    });
    builder.Services.AddRateLimiter(limits =>
    {
        limits.AddConcurrencyLimiter("uploads", at => (at.PermitLimit, at.QueueLimit) = (32, 64));    // at once, and waiting
        limits.RejectionStatusCode = StatusCodes.Status503ServiceUnavailable;
        limits.OnRejected = (rejected, _) => { rejected.HttpContext.Response.Headers.RetryAfter = "1"; return default; };
    });
    Picture.MaxFilePixels = 16_000_000;                                                           // few bytes can be many pixels
    Picture.MaxPixelsAtOnce = 32_000_000;                                                         // of all uploads: others wait, in order
    Predictor predictor = ImageClassifier.Load(builder.Configuration["model"] ?? "runs/cats-vs-dogs/model.safetensors").CreatePredictor();

    WebApplication app = builder.Build();
    app.UseRateLimiter();
    app.MapGet("/health", () => "ok");
    app.MapPost("/predict", async (HttpRequest request, CancellationToken gone) =>
    {
        try
        {
            Stream upload = request.Body;
            if (request.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true)
                upload = (await request.ReadFormAsync(gone)).Files is [IFormFile file, ..] ? file.OpenReadStream()
                    : throw new BadHttpRequestException("a form without a file");
            return Results.Json(await predictor.PredictAsync(upload, gone), Answer.Default.Prediction);    // Answer: a JsonSerializerContext
        }
        catch (Exception e) when (e is IOException or InvalidDataException)                       // no picture, no form, too many bytes
        {
            return Results.Text(e.Message, statusCode: e is BadHttpRequestException bad ? bad.StatusCode : 400);
        }
    }).RequireRateLimiting("uploads");
    app.Run();
    // README: end
    return 0;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or FormatException)
{
    Console.Error.WriteLine(e.Message.ReplaceLineEndings(" "));
    return 1;
}

/// <summary>The answer's JSON, written without reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Prediction))]
sealed partial class Answer : JsonSerializerContext;
