// A web service that classifies uploaded images with a saved model.
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.RateLimiting;
using MiniCnn;
using MiniCnn.Imaging;

if (args.Contains("--help"))
{
    Console.WriteLine(
        """
        Description:
          A web service that classifies uploaded images. POST a JPEG, PNG, WebP, GIF or BMP to /predict, as the body or as a file in a form. The answer is
          JSON: the class and the probabilities. GET /health answers "ok". Ctrl-C or SIGTERM ends the service after it has answered the running requests.

        Examples:
          curl -F file=@photo.jpg http://localhost:5000/predict
          curl --data-binary @photo.jpg http://localhost:5000/predict

        Options:
          --model FILE   Model file that examples/CatsVsDogs or ImageClassifier.Save wrote [default: runs/cats-vs-dogs/model.safetensors]
          --urls URL     Address of the service [default: http://localhost:5000]
          --help         Show help
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

/// <summary>Writes the JSON answer without reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Prediction))]
sealed partial class Answer : JsonSerializerContext;
